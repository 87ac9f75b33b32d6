"""Legacy encodings share their bytes; the one that reads plausibly is chosen."""

import json
from pathlib import Path

import pytest

from segprep.errors import SourceError
from segprep.sources._common.texts import strict_json, text_encoding

TEXTS = {
    "gb18030": ["猫狗", "裂缝", "背景", "行人 汽车", "道路", "划痕", "建筑物", "水面", "焊缝缺陷"],
    "cp932": ["ねこ", "ひび割れ", "道路", "キズ", "建物", "人物", "猫と犬"],
    "euc_jp": ["建物", "ひび割れ", "キズ", "ネコと犬"],
    "cp949": ["고양이", "개", "사람", "자동차", "도로", "균열", "건물", "하늘"],
    "big5": ["貓", "道路", "裂縫", "車輛", "背景"],
}
CASES = [(encoding, text) for encoding, texts in TEXTS.items() for text in texts]


@pytest.mark.parametrize(("encoding", "text"), CASES)
def test_labels_are_read_as_they_were_written(encoding: str, text: str) -> None:
    data = f'{{"label": "{text}"}}'.encode(encoding)
    assert text_encoding.decoded(data, Path("x.json"))[0] == f'{{"label": "{text}"}}'


@pytest.mark.parametrize("text", ["café", "Straße", "naïve Größe", "señal"])
def test_western_text_is_not_taken_for_chinese(text: str) -> None:
    data = json.dumps({"label": text}, ensure_ascii=False).encode("cp1252")
    with pytest.raises(SourceError, match="cp1252") as caught:
        text_encoding.decoded(data, Path("x.json"))
    assert caught.value.code == "bad-encoding"
    assert "--encoding cp1252" in caught.value.hint
    assert text in text_encoding.decoded(data, Path("x.json"), "cp1252")[0]


@pytest.mark.parametrize("text", ['{"label": "路"}', "images/漏.png\nimages/路_1.png"])
def test_gbk_that_happens_to_be_utf_8(text: str) -> None:
    """Its two bytes are a middle dot, or a copyright sign, in UTF-8."""
    assert text_encoding.decoded(text.encode("gbk"), Path("x")) == (text, "gb18030")


@pytest.mark.parametrize(
    "text", ["10°", "m²", "a·b", "© 2020", '{"label": "é"}', '{"a": "·猫"}', "д"]
)
def test_signs_in_utf_8(text: str) -> None:
    assert text_encoding.decoded(text.encode(), Path("x")) == (text, "utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_marks_and_utf_8_are_certain(encoding: str) -> None:
    assert text_encoding.decoded('{"a": "é猫"}'.encode(encoding), Path("x"))[0] == '{"a": "é猫"}'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "gb18030", "utf-16"])
def test_a_long_string_is_cut_out_in_every_encoding(encoding: str) -> None:
    long = "QUJD" * 1000
    label = "ねこ" if encoding == "cp932" else "猫狗"
    text = json.dumps({"label": label, "imageData": long}, ensure_ascii=False)
    parsed = strict_json.parse(text.encode(encoding), Path("x"), "imageData")
    content = parsed.value | ({"imageData": parsed.out.decode()} if parsed.out else {})
    assert content == {"label": label, "imageData": long}


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(SourceError, match="'a' occurs twice"):
        strict_json.parse(b'{"a": 1, "b": 2, "a": 3}', Path("x"))


HALF_WIDTH = ["ｸﾙﾏ", "ﾄﾗｯｸ", "ﾊﾟｲﾌﾟ", "ｼﾝｺﾞｳ", "ﾋﾋﾞﾜﾚ", "ﾃｽﾄ", "ﾌｨﾙﾑ"]


@pytest.mark.parametrize("text", [*HALF_WIDTH, '"ﾈｺ", "ｲﾇ", "ﾊﾞｽ"'])
def test_half_width_kana_alone(text: str) -> None:
    assert text_encoding.decoded(f'["{text}"]'.encode("cp932"), Path("x"))[0] == f'["{text}"]'


@pytest.mark.parametrize("text", ["ｲﾇ", "ﾄﾞｳﾛ", "ﾔﾏ"])
def test_half_width_kana_that_may_be_chinese_is_asked_for(text: str) -> None:
    data = f'["{text}"]'.encode("cp932")
    with pytest.raises(SourceError, match=f"may be .*{text} .cp932") as caught:
        text_encoding.decoded(data, Path("x"))
    assert "--encoding cp932" in caught.value.hint
    assert text in text_encoding.decoded(data, Path("x"), "cp932")[0]


@pytest.mark.parametrize("text", ["螺栓", "电缆", "安全帽", "摩托车", "绝缘子", "苹果", "卡车"])
def test_chinese_is_not_taken_for_half_width_kana(text: str) -> None:
    data = f'["{text}", "道路", "背景"]'.encode("gb18030")
    assert text in text_encoding.decoded(data, Path("x"))[0]
