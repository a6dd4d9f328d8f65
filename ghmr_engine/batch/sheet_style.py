"""What stands around the clips on a batch's contact sheet: its head with all of its style, and its foot."""

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>TITLE</title>
<style>
:root { --ink: #262a30; --pale: #6b727c; --paper: #f6f7f9; --card: #fff; --line: #dfe3e8;
  --done: #2f7d4f; --review: #b36b00; --failed: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --pale: #9aa2ad; --paper: #16181c; --card: #1f2227; --line: #343941;
    --done: #6fcf97; --review: #f2b45a; --failed: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 1500px; background: var(--paper); color: var(--ink);
  font: 15px/1.4 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 0; overflow-wrap: anywhere; }
p { margin: 4px 0; }
.counts, .path, .facts, figcaption, caption { color: var(--pale); font-size: 13px; overflow-wrap: anywhere; }
input[name=show] { position: absolute; opacity: 0; }
label { display: inline-block; margin: 8px 6px 8px 0; padding: 8px 12px; border: 1px solid var(--line);
  border-radius: 18px; background: var(--card); cursor: pointer; }
input:checked + label { border-color: var(--ink); font-weight: 600; }
input:focus-visible + label { outline: 2px solid var(--ink); }
#show-review:checked ~ main > article:not(.review), #show-failed:checked ~ main > article:not(.failed),
#show-done:checked ~ main > article:not(.done) { display: none; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 14px;
  align-items: start; }
article { padding: 12px; background: var(--card); border: 1px solid var(--line); border-top: 4px solid var(--state);
  border-radius: 8px; min-width: 0; }
.done { --state: var(--done); } .review { --state: var(--review); } .failed { --state: var(--failed); }
.state { color: var(--state); font-size: 13px; white-space: nowrap; }
.pictures { display: grid; grid-template-columns: 3fr 2fr; gap: 6px; margin: 8px 0; }
figure { margin: 0; min-width: 0; }
header { display: flex; gap: 10px; align-items: center; }
header img { width: 84px; max-height: 64px; flex: none; }
header div { min-width: 0; }
img { display: block; width: 100%; max-height: 320px; object-fit: contain; background: var(--paper);
  border-radius: 4px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; margin: 6px 0; }
th, td { padding: 3px 8px 3px 0; text-align: right; font-variant-numeric: tabular-nums; vertical-align: bottom; }
th { color: var(--pale); font-weight: 500; }
th:first-child { text-align: left; white-space: nowrap; }
caption { text-align: left; }
ul { margin: 6px 0; padding-left: 18px; }
ul.review { color: var(--review); font-weight: 600; }
.error { color: var(--failed); }
.links a { margin-right: 12px; overflow-wrap: anywhere; color: inherit; }
</style>
</head>
<body>
"""

FOOT = """</body>
</html>
"""
