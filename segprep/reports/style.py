"""How a page looks: its style sheet, for light and dark screens and every width; its template."""

STYLE = """
:root { --back: #f6f7f9; --card: #ffffff; --ink: #1d2430; --soft: #5d6778; --rule: #dfe3ea;
  --good: #1a7f4b; --fair: #a66300; --bad: #b3261e;
  --one: #2f6fdd; --two: #d9722c; --three: #2a9d63; --four: #8a5bd1; --shade: 47 111 221; }
@media (prefers-color-scheme: dark) { :root { --back: #12151b; --card: #1b2029; --ink: #e8ebf1;
  --soft: #9aa5b6; --rule: #303846; --good: #58c98c;
  --fair: #e8ac4d; --bad: #ff8a80; --one: #7aa8ff; --two: #ff9f63; --three: #5ed69a;
  --four: #b995f5; --shade: 90 145 250; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui,
  "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 40px 0 4px; }
p { margin: 4px 0 12px; } .soft, section > p { color: var(--soft); }
header { background: var(--card); border: 1px solid var(--rule);
  border-left: 6px solid var(--tone); border-radius: 10px; padding: 20px 22px; }
.good { --tone: var(--good); } .fair { --tone: var(--fair); } .bad { --tone: var(--bad); }
.badge { display: inline-block; color: var(--tone); font-weight: 700; font-size: 1.9rem;
  line-height: 1.2; margin: 6px 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px;
  margin-top: 14px; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 12px 16px; }
.card b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: .86rem; display: block; }
ul.remarks { list-style: none; padding: 0; margin: 12px 0 0; }
ul.remarks li { margin: 6px 0; } code { background: color-mix(in srgb, var(--soft) 15%,
  transparent); padding: 1px 6px; border-radius: 5px; font-size: .86em; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--rule);
  border-radius: 10px; margin-top: 12px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
  font-size: .93rem; }
th, td { padding: 7px 14px; text-align: right; border-bottom: 1px solid var(--rule);
  white-space: nowrap; }
tr:last-child > * { border-bottom: 0; } th { color: var(--soft); font-weight: 600; } .left {
  text-align: left; white-space: normal; overflow-wrap: break-word; min-width: 7.5rem;
  max-width: 26rem; }
td small { display: block; color: var(--soft); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr));
  gap: 12px; margin-top: 12px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 12px 14px; min-width: 0; }
figcaption { font-size: .9rem; margin-bottom: 6px; overflow-wrap: anywhere; } figcaption b {
  display: block; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft);
  font-size: 11px; } svg .rule { stroke: var(--rule); }
svg polyline { fill: none; stroke-width: 2; stroke-linejoin: round; } .legend { display: flex;
  flex-wrap: wrap; gap: 4px 16px; font-size: .86rem; margin: 8px 0; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px;
  margin-right: 6px; vertical-align: -1px; border: 1px solid var(--rule); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%),
  1fr)); gap: 12px; margin-top: 12px; }
.gallery.wide { grid-template-columns: repeat(auto-fit, minmax(min(520px, 100%), 1fr)); }
.gallery.wide figure { border-left: 4px solid var(--fair); }
td .bar { display: block; height: 5px; border-radius: 3px; margin: 4px 0 2px auto; max-width: 130px;
  background: color-mix(in srgb, var(--soft) 18%, transparent); }
td .bar i { display: block; height: 100%; border-radius: 3px; background: var(--one); }
td .bar i.low { background: var(--fair); }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(92px, 1fr)); gap: 6px;
  font-size: .78rem; color: var(--soft); text-align: center; }
.panels img { width: 100%; height: auto; border-radius: 4px; display: block;
  background: var(--rule); }
footer { color: var(--soft); font-size: .86rem; margin-top: 44px; overflow-wrap: anywhere; }
@media (max-width: 560px) { main { padding: 16px 12px 40px; } header { padding: 16px; }
  .badge { font-size: 1.5rem; } .cards { grid-template-columns: 1fr 1fr; gap: 8px; }
  .wide .panels { grid-template-columns: 1fr 1fr; }
  .card { padding: 10px 12px; } th, td { padding: 6px 9px; } .left { min-width: 6rem; }
  h2 { margin-top: 30px; } }
@media print { body { background: #fff; } section { break-inside: avoid; } }
"""

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{{ page.title }}: {{ page.verdict }}</title>
<style>{{ style | safe }}</style>
</head>
<body>
{% macro draw(part) %}
{% if part.kind == "cards" %}
<div class="cards">
{% for label, value, text in part.cards %}
<div class="card"><span>{{ label }}</span><b>{{ value }}</b><span>{{ text }}</span></div>
{% endfor %}
</div>
{% elif part.kind == "remarks" %}
<ul class="remarks">
{% for word, text in part.remarks %}
<li>{% if word %}<code>{{ word }}</code> {% endif %}{{ text }}</li>
{% endfor %}
</ul>
{% elif part.kind == "table" %}
<div class="scroll"><table>
<tr>{% for name in part.columns %}<th{% if loop.index <= part.left %} class="left"{% endif %}>
{{ name }}</th>{% endfor %}</tr>
{% for row in part.rows %}
{% set place = loop.index0 %}
<tr>{% for cell in row %}<td{% if loop.index <= part.left %} class="left"{% endif %}>{{ cell }}
{% if loop.index0 == part.bar and part.bars %}{% set share = part.bars[place] %}
<span class="bar"><i{% if share < 0.5 %} class="low"{% endif %}
 style="width: {{ (100 * share) | round(1) }}%"></i></span>{% endif %}
</td>{% endfor %}</tr>
{% endfor %}
</table></div>
{% elif part.kind == "matrix" %}
<div class="scroll"><table>
<tr><th class="left">truth \\ predicted</th>{% for name in part.names %}<th>{{ name }}</th>
{% endfor %}</tr>
{% for name, cells in part.rows %}
<tr><th class="left">{{ name }}</th>
{% for count, share, shade in cells %}
<td style="background: rgb(var(--shade) / {{ shade * 0.6 }}%)">{{ share }}<small>{{ count }}
</small></td>{% endfor %}</tr>
{% endfor %}
</table></div>
{% elif part.kind == "lines" %}
<figure><figcaption><b>{{ part.title }}</b></figcaption>
<svg viewBox="0 0 {{ part.size[0] }} {{ part.size[1] }}" role="img" aria-label="{{ part.title }}">
{% for at, text in part.ticks[1] %}
<line class="rule" x1="{{ part.frame[0] }}" x2="{{ part.frame[2] }}"
  y1="{{ at }}" y2="{{ at }}"/>
<text x="{{ part.frame[0] - 6 }}" y="{{ at + 4 }}" text-anchor="end">{{ text }}</text>
{% endfor %}
{% for at, text in part.ticks[0] %}
<text x="{{ at }}" y="{{ part.frame[3] + 16 }}" text-anchor="middle">{{ text }}</text>{% endfor %}
<text x="{{ part.frame[2] }}" y="{{ part.frame[3] + 30 }}" text-anchor="end">{{ part.across }}
</text>
{% for name, points, color, dashed in part.curves %}
<polyline points="{{ points }}" style="stroke: {{ color }}"
  {% if dashed %}stroke-dasharray="5 4"{% endif %}/>
{% if not dashed %}{% for point in points.split() %}{% set at = point.split(",") %}
<circle cx="{{ at[0] }}" cy="{{ at[1] }}" r="3" style="fill: {{ color }}"/>{% endfor %}{% endif %}
{% endfor %}
</svg>
<div class="legend">{% for name, points, color, dashed in part.curves %}<span>
<i style="background: {{ color }}"></i>{{ name }}</span>{% endfor %}</div>
</figure>
{% elif part.kind == "gallery" %}
{% if part.legend %}<div class="legend">{% for name, color in part.legend %}<span>
<i style="background: {{ color }}"></i>{{ name }}</span>{% endfor %}</div>{% endif %}
<div class="gallery{% if part.wide %} wide{% endif %}">
{% for figure in part.figures %}
<figure><figcaption><b>{{ figure.title }}</b>{{ figure.text }}</figcaption>
<div class="panels">
{% for label, source in figure.pictures %}<div>
<img src="{{ source }}" alt="{{ label }} of {{ figure.title }}">{{ label }}</div>{% endfor %}
</div></figure>
{% endfor %}
</div>
{% endif %}
{% endmacro %}
<main>
<header class="{{ page.tone }}"><h1>{{ page.title }}</h1><div class="badge">{{ page.verdict }}
</div><p>{{ page.lead }}</p></header>
{% for section in page.sections %}
<section>
{% if section.heading %}<h2>{{ section.heading }}</h2>{% endif %}
{% if section.text %}<p>{{ section.text }}</p>{% endif %}
{% set plots = section.parts | selectattr("kind", "equalto", "lines") | list %}
{% if plots %}<div class="plots">{% for part in plots %}{{ draw(part) }}{% endfor %}</div>
{% endif %}
{% for part in section.parts if part.kind != "lines" %}{{ draw(part) }}{% endfor %}
</section>
{% endfor %}
<footer>{{ page.foot }}</footer>
</main>
</body>
</html>
"""
