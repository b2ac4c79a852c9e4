"""The frame and the look of a page: light and dark, on a desk, on a phone and on paper."""

from string import Template
from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f6f8fa; --line: #dde3ea; --ink: #1b2530; --quiet: #5a6776;
  --blue: #0072b2; --green: #00734f; --red: #b34700; --amber: #8a5a00; --cost: #b3c0cc;
  --good: #009e73; --bad: #d55e00; --rest: #56b4e9; --gone: #a7b1bc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #11161c; --panel: #192028; --line: #2b3540; --ink: #e6ebf0; --quiet: #98a5b3;
    --blue: #56b4e9; --green: #43c59e; --red: #f28e4b; --amber: #e6b450; --cost: #55626f;
    --good: #2bb58b; --bad: #e2762f; --rest: #3f8fc0; --gone: #687583;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 70rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 2.25rem 0 .6rem; font-size: 1.1rem; }
h2 small { font-weight: 400; color: var(--quiet); }
p { margin: .4rem 0; }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.quiet { color: var(--quiet); }
.gain { color: var(--green); } .loss { color: var(--red); } .warn { color: var(--amber); }
.chips { display: flex; flex-wrap: wrap; gap: .4rem; margin: .7rem 0; padding: 0; list-style: none; }
.chips li, .chip {
  border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .65rem; font-size: .85rem;
  white-space: nowrap;
}
.chip::before { content: "●"; margin-right: .35em; color: var(--gone); }
.chip.good::before { color: var(--good); } .chip.bad::before { color: var(--bad); }
.chip.rest::before { color: var(--rest); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem; margin: .6rem 0; }
.facts dt { color: var(--quiet); } .facts dd { margin: 0; min-width: 0; }
.totals { display: grid; gap: .6rem; margin: 1rem 0; }
.totals { grid-template-columns: repeat(auto-fit, minmax(8.2rem, 1fr)); }
.totals div { padding: .55rem .75rem; }
.totals div, pre { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; }
.totals b { display: block; font-size: 1.2rem; line-height: 1.3; }
.totals span { color: var(--quiet); font-size: .82rem; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th { text-align: left; font-weight: 600; color: var(--quiet); font-size: .8rem; }
th, td { padding: .35rem .5rem; vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
thead th, tbody + tbody tr:first-child td { border-bottom: 0; }
tbody { border-top: 1px solid var(--line); } tfoot { border-top: 2px solid var(--line); font-weight: 600; }
.n { text-align: right; white-space: nowrap; }
.more td { padding-top: 0; color: var(--quiet); font-size: .86rem; }
.more p { margin: .05rem 0 .25rem; } .more .why { color: var(--ink); }
ul.plain { margin: .4rem 0; padding-left: 1.1rem; }
pre {
  padding: .7rem .9rem; margin: .5rem 0; overflow-x: auto; font-size: .88rem; white-space: pre-wrap;
}
figure { margin: 1rem 0; } figcaption { color: var(--quiet); font-size: .85rem; margin-bottom: .3rem; }
svg { display: block; width: 100%; }
rect.value { fill: var(--blue); } rect.cost { fill: var(--cost); } rect.good { fill: var(--good); }
rect.bad { fill: var(--bad); } rect.rest { fill: var(--rest); } rect.gone { fill: var(--gone); }
rect.zero { fill: var(--quiet); }
.bars { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr max-content max-content; }
.bars { gap: .35rem .9rem; align-items: center; font-size: .9rem; }
.bars > div { display: contents; }
.marks { display: flex; justify-content: space-between; color: var(--quiet); font-size: .82rem; }
.marks { border-top: 1px solid var(--line); }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .4rem 0 0; padding: 0; list-style: none;
  font-size: .85rem; }
.key li::before { content: "■"; margin-right: .35em; color: var(--gone); }
.key .good::before { color: var(--good); } .key .bad::before { color: var(--bad); }
.key .rest::before { color: var(--rest); } .key .value::before { color: var(--blue); }
.key .cost::before { color: var(--cost); }
footer { margin-top: 2.5rem; color: var(--quiet); font-size: .85rem; border-top: 1px solid var(--line);
  padding-top: .8rem; }
@media (max-width: 44rem) {
  body { padding: 1.1rem .9rem 3rem; }
  h1 { font-size: 1.4rem; }
  .facts { grid-template-columns: 1fr; gap: 0; } .facts dd { margin-bottom: .35rem; }
  .bars { display: block; }
  .bars > div { display: grid; grid-template-columns: 1fr max-content max-content; gap: .1rem .8rem; }
  .bars svg { grid-column: 1 / -1; order: 1; margin-bottom: .6rem; }
  table.cards thead { position: absolute; left: -200vw; }
  table.cards tbody, table.cards tfoot { display: block; padding: .5rem 0; }
  table.cards tr { display: grid; grid-template-columns: 1fr 1fr; gap: .1rem .8rem; }
  table.cards td { display: flex; justify-content: space-between; gap: .6rem; padding: .05rem 0; }
  table.cards td { text-align: right; }
  table.cards td[data-label]::before { content: attr(data-label); color: var(--quiet); flex: none; }
  table.cards td.whole, table.cards .more td { grid-column: 1 / -1; display: block; text-align: left; }
  table.cards td:empty { display: none; }
}
@media print {
  :root { --ground: #fff; --panel: #fff; --line: #bbb; --ink: #000; --quiet: #444; --blue: #0072b2;
    --green: #00593d; --red: #8f3900; --amber: #6b4600; --cost: #b3c0cc; --good: #009e73; --bad: #d55e00;
    --rest: #56b4e9; --gone: #a7b1bc; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  tbody, figure, .totals div { break-inside: avoid; } h2 { break-after: avoid; }
  tfoot { display: table-row-group; }
  .chip::before, .key li::before, svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
# The policy forbids the page to fetch anything, whatever a name in it might have smuggled in.
_FRAME: Final = Template(
    """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>$title</title>
<style>$style</style>
</head>
<body>
$body
</body>
</html>
"""
)


def framed(title: str, body: str) -> str:
    """A whole page; title and body are HTML already."""
    return _FRAME.substitute(title=title, style=STYLE, body=body)
