"""A Markdown comment as a forge shows it: parsed by a CommonMark parser, coloured as GitHub colours `diff` fences.

For the pictures of the docs, and for tests that look at a comment in a browser. A stand-in for the look only.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

_STYLE = """
body { margin: 0; padding: 16px; background: #f6f8fa; }
main { max-width: 900px; margin: auto; background: #fff; border: 1px solid #d0d7de; border-radius: 6px; }
.head { padding: 9px 16px; border-bottom: 1px solid #d0d7de; background: #f6f8fa; border-radius: 6px 6px 0 0; }
.head, .body { font: 14px/1.5 system-ui, "Segoe UI", "Liberation Sans", sans-serif; color: #1f2328; }
.head { color: #59636e; }
.body { padding: 16px; }
.body > :first-child { margin-top: 0; }
code { font: 85% ui-monospace, Menlo, "Liberation Mono", monospace; background: #818b981f; border-radius: 6px;
  padding: .2em .4em; overflow-wrap: anywhere; }
pre { background: #f6f8fa; border-radius: 6px; padding: 12px 16px; overflow: auto; }
pre code { background: none; padding: 0; white-space: pre; overflow-wrap: normal; }
pre span { display: inline-block; min-width: 100%; }
.add { color: #116329; background: #dafbe1; } .del { color: #82071e; background: #ffebe9; }
.mark { color: #953800; } .note { color: #59636e; }
h3, h4 { margin: 24px 0 16px; } h3 { font-size: 1.25em; } h4 { font-size: 1em; }
ul { padding-left: 2em; } li { margin-top: .25em; } summary { cursor: pointer; padding: 2px 0; }
"""
_SIGNS = {"+": "add", "-": "del", "!": "mark", "#": "note"}


def as_page(markdown: str) -> str:
    """A whole HTML page around the comment."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.add_render_rule("fence", _fence)
    body = parser.render(markdown)
    return (
        f'<!doctype html><meta charset="utf-8"><title>comment</title><style>{_STYLE}</style>'
        f'<main><div class="head"><b>hwplan-bot</b> commented</div><div class="body">{body}</div></main>'
    )


def _fence(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    lines = token.content.splitlines()
    if token.info != "diff":
        return f"<pre><code>{escape(token.content)}</code></pre>"
    shown = (f'<span class="{_SIGNS.get(line[:1], "")}">{escape(line) or " "}</span>' for line in lines)
    return f"<pre><code>{chr(10).join(shown)}</code></pre>"
