"""Which of the encodings that annotation tools write a text is in: by its mark, by UTF-8's own
rules, else by what reads plausibly.

The legacy encodings of Chinese, Japanese and Korean share their bytes: nearly every text in one of
them decodes in another, as rare characters. What decodes to common ones is chosen.
"""

import codecs
import re
from pathlib import Path

from segprep.errors import SourceError
from segprep.names import shown

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY = ("gb18030", "cp932", "euc_jp", "cp949", "big5")
_SIGNS = re.compile("[\x80-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf]")  # of Latin-1, but no letters
_NAME_ENDS = "\"'/\\_-.,;:()[]{}\n\r\t"
_SURE = 0.5
# half-width kana as words have them: voiced marks and small letters only where they can stand
_HALF_WIDTH = re.compile("[\uff61-\uff9f]+")
_HALF_WIDTH_ONLY = re.compile("[\x00-\x7f]*([\uff61-\uff9f]+[\x00-\x7f]*)+")
_MORA = (
    "(?:[ｳｶ-ﾄﾊ-ﾎ]ﾞ|[ﾊ-ﾎ]ﾟ|[ｱ-ﾜｦ])(?:(?<=[ｷｼﾁﾆﾋﾐﾘ])[ｬｭｮ]|(?<=[ｼﾁﾋ][ﾞﾟ])[ｬｭｮ]|(?<=ｷﾞ)[ｬｭｮ]"
    "|(?<=ﾌ)[ｧｨｪｫ]|(?<=ｳﾞ)[ｧｨｪｫ]|(?<=ｳ)[ｨｪｫ]|(?<=ﾃ)ｨ|(?<=ﾃﾞ)[ｨｭ]|(?<=[ｼﾁ])ｪ|(?<=ｼﾞ)ｪ)?"
)
_KANA_WORDS = re.compile(f"(?:(?:{_MORA}ﾝ?ｰ?ｯ?)+[｡｢｣､･]*)+")
_KANA, _CLOSE = 0.6, 0.15  # the weight of such words; the lead that another reading has to have
PLAUSIBLE = 0.3  # least mean plausibility of the non-ASCII characters, from 0 to 1
# Characters that are common in writing and in labels of each language.
_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之"
    "年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样"
    "理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将"
    "两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信"
    "表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔"
    "更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统"
    "区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品"
    "住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运猫狗车树屋房筑"
    "植草叶花猪牛羊鸡鸭鱼鸟裂缝缺陷划痕破损凹坑锈蚀污渍漏焊盘孔洞桥梁墙壁顶窗户灯杆标志线积雪"
    "云河湖岸土壤沙石岩层细胞核膜肿瘤病灶血骨折肺肝肾脑球视网息肉皮肤背景域图夹照片副摩托卡火"
    "飞船"
)
_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之"
    "年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣"
    "理心她本前開但因只從想實日者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩"
    "高間由問很最重並物手應向頭文體政美相見被利什二等產或新己制身果加西月話合回特代內信表化老"
    "給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活貓狗車樹"
    "屋房建築植草葉花豬牛羊雞鴨魚鳥馬裂縫缺陷劃痕破損凹坑鏽蝕污漬橋樑牆壁頂窗戶燈桿標誌線路積"
    "雪雲河湖岸土壤沙石岩層細胞核膜腫瘤病灶血管骨折肺肝腎腦眼球視網皮膚背景目區域圖像檔案照片"
    "副增資料夾卡火飛船"
)
_KOREAN = (
    "이다는을가에의고하지로한도를은사기아어리나자시대인그스해만일라보수서들것게관제정구과원부"
    "전장여조상무주성공동유신경거오면세소안용선미진개간화국물바발있없었했되된될할함회생활방법"
    "문명행연산마모양강람차건늘균열결길돌풀꽃잎새말닭돼집벽창붕배체영역파폴더복본포핵종병변혈"
    "뼈폐뇌눈망막피트럭버비"
)


def decoded(data: bytes, path: Path, encoding: str = "auto") -> tuple[str, str]:
    """*data* as text without a mark, and the encoding it was in; *encoding* "auto" chooses.

    Raises SourceError: none fits, or none that fits reads plausibly.
    """
    if encoding == "auto" and data.isascii() and b"\0" not in data[:4]:
        return data.decode("ascii"), "utf-8"
    name = encoding if encoding != "auto" else _certain(data)
    if name and not (encoding == "auto" and name == "utf-8" and _is_chinese(data)):
        return _strictly(data, path, name), "utf-8" if name == "utf-8-sig" else name
    texts = {name: text for name in _LEGACY if (text := _attempt(data, name)) is not None}
    scores = {name: plausibility(text, name) for name, text in texts.items()}
    best = max(scores, key=lambda name: scores[name], default="")
    if not best or scores[best] < PLAUSIBLE:
        raise _implausible(data, path)
    if _HALF_WIDTH_ONLY.fullmatch(texts.get("cp932", "a")):  # few signs for or against it
        close = [name for name in scores if name != best and scores[name] > scores[best] - _CLOSE]
        if close and "cp932" in (best, *close):
            other = "cp932" if best != "cp932" else max(close, key=lambda name: scores[name])
            raise _ambiguous(path, texts, best, other)
    return texts[best], best


def _is_chinese(data: bytes) -> bool:
    """Whether UTF-8 *data* read better as GB18030: all that is not ASCII are signs such as the
    middle dot, none beside a letter, digit or blank, and in GB18030 they are common characters (two
    bytes of GBK that UTF-8 allows).
    """
    if data.isascii():
        return False
    text = data.decode("utf-8")
    chinese = _attempt(data, "gb18030")
    if chinese is None or not all(_SIGNS.match(sign) for sign in text if sign > "\x7f"):
        return False
    around = re.findall(f"(.?)(?:{_SIGNS.pattern})+(.?)", text, re.DOTALL)
    alone = all(side in _NAME_ENDS for pair in around for side in pair)
    return alone and plausibility(chinese, "gb18030") >= _SURE


def plausibility(text: str, encoding: str) -> float:
    """How much of the non-ASCII part of *text*, as decoded from *encoding*, is common writing: from
    0 (none) to 1.
    """
    strange = [character for character in text if character > "\x7f"]
    if not strange:
        return 1.0
    if encoding == "cp932" and (runs := _HALF_WIDTH.findall(text)):
        words = sum(len(run) for run in runs if _KANA_WORDS.fullmatch(run))
        others = [character for character in strange if not _HALF_WIDTH.match(character)]
        total = _KANA * words + sum(_weight(character, encoding) for character in others)
        return total / len(strange)
    return sum(_weight(character, encoding) for character in strange) / len(strange)


def _weight(character: str, encoding: str) -> float:
    """1 for a common character of the encoding's language, 0 for one that hardly occurs."""
    if "\u3000" <= character <= "\u3020" or "\uff01" <= character <= "\uff5e":
        return 0.5  # punctuation and full-width letters: all four have them
    if encoding == "cp932":
        if "\u3041" <= character <= "\u30ff":
            return 1.0
        return (
            0.6 if _in_level_one(character, "shift_jis", 0x88, 0x97) else 0.1 * _is_kanji(character)
        )
    if encoding == "euc_jp":
        if "\u3041" <= character <= "\u30ff":
            return 0.9  # GB 2312 has them at the same bytes, where they are rare
        return 0.55 if _in_level_one(character, "euc_jp", 0xB0, 0xCF) else 0.0
    if encoding == "cp949":
        if "\uac00" <= character <= "\ud7a3":
            return 1.0 if character in _KOREAN else 0.35 * _encodes(character, "euc_kr")
        return 0.0
    if encoding == "big5":
        if character in _TRADITIONAL:
            return 0.95
        return 0.4 if _in_level_one(character, "big5", 0xA4, 0xC6) else 0.0
    if character in _SIMPLIFIED:
        return 1.0
    return (
        0.5
        if _in_level_one(character, "gb2312", 0xB0, 0xD7)
        else 0.2 * _encodes(character, "gb2312")
    )


def _is_kanji(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _encodes(character: str, encoding: str) -> bool:
    try:
        return len(character.encode(encoding)) == 2
    except UnicodeEncodeError:
        return False


def _in_level_one(character: str, encoding: str, first: int, last: int) -> bool:
    """Whether *character* is one of the frequent ones, which these standards list first."""
    return (
        _is_kanji(character)
        and _encodes(character, encoding)
        and first <= character.encode(encoding)[0] <= last
    )


def _certain(data: bytes) -> str:
    """The encoding that *data* is in beyond doubt: by its mark, or UTF-8; else ""."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if b"\0" in data[:4]:
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    return "utf-8" if _attempt(data, "utf-8") is not None else ""


def _attempt(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _strictly(data: bytes, path: Path, encoding: str) -> str:
    try:
        text = data.decode(encoding)
        text.encode("utf-8")  # UTF-16 may hold half a character
        return text
    except (UnicodeError, LookupError) as error:
        reason = f"the text is not {encoding}: {error}"
        raise SourceError(path, reason, "save it as UTF-8", "bad-encoding") from error


def _implausible(data: bytes, path: Path) -> SourceError:
    """The error where nothing reads plausibly, with what two Western encodings would make of it."""
    at = next((n for n, byte in enumerate(data) if byte > 127), 0)
    sample = shown(data[max(0, at - 12) : at + 12].decode("cp1252", "replace"))
    tried = ", ".join(("utf-8", *_LEGACY))
    reason = f"the text is not plausible in {tried}; as cp1252 it reads …{sample}…"
    hint = "if that is right, give --encoding cp1252; else name another, or save it as UTF-8"
    return SourceError(path, reason, hint, "bad-encoding")


def _ambiguous(path: Path, texts: dict[str, str], *names: str) -> SourceError:
    """The error where two of *texts* read about as plausibly."""
    samples = {name: "".join(re.findall("[^\x00-\x7f]+", texts[name]))[:12] for name in names}
    listed = " or ".join(f"{shown(samples[name])} ({name})" for name in names)
    hint = f"say which: --encoding {' or --encoding '.join(names)}; or save it as UTF-8"
    return SourceError(path, f"the text may be {listed}", hint, "bad-encoding")
