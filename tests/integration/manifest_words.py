"""The words that the generated documents are made of: every form of a YAML 1.1 scalar, and what only looks like one."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WORDS = _words(r"""
y Y yes Yes YES yEs n N no No NO on On ON off Off OFF oFF true True TRUE tRue false False FALSE null Null NULL
nULL ~ inf nan << = - -- + . .. _ __ a b é 日本 🚀 v1 10m 2Gi 1.2.3 127.0.0.1 10.0.0.0/8 nginx:1.25
http://h:80/p?q=1&r a#b x:y :x --flag=:80 2001:db8::1 ::1 it's say"x" \n -x 1e3 1E3 1e+3 1e-3 1e400 -1e400
1e-400 .5 -.5 +.5 5. -5. 1.0 1.10 01.5 0.1 1.5e300 123456789.125 1e21 1e20 1e22 .e5 ._5 0 -0 +0 00 07 08 09 0400
0755 -0755 +0755 0o17 0O17 0o8 -0o17 0x1F 0X1f -0x1f +0x1F 0x 0xg 0b101 0B101 -0b11 +0b11 0b 0b2 1_000 1__0 _1
1_ -_1 0x_1F 0b1_0 0_7 1_0.5 1_0e3 1,000 12345678901234567890 9223372036854775807 9223372036854775808
-9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 1234567890123456789
+18446744073709551615 0x7fffffffffffffff 0xffffffffffffffff 0x1ffffffffffffffff 9007199254740993
0777777777777777777777 07777777777777777777777 1:30 22:00 02:00:00 190:20:30 1:60 16:9 1:30.5 -1:30 2024-01-31
2024-1-1 2024-13-45 2019-10-15T14:48:58Z 2019-10-15t14:48:58.5+02:00 2001-12-14 2024-01-31T 20240131 2024
""")
# Refused wherever they stand, or nearly.
RARE = _words(r"""
!!binary "\q" "\ud83d\ude80" .inf .Inf .INF +.inf -.inf .nan .NaN .NAN {{x}} {x} a,b ?x !x @x `x %x *x
""")
KEYS = _words(r"""
a b c d data name spec y on no 1 007 1.5 1e6 1.0 0x1F true 2024-01-31 22:00 é x/y a.b a-b .dot 1_0 -5 $a
""")
TAGS = ("!!str", "!!int", "!!float", "!!bool", "!!null", "!!binary", "!!timestamp", "!!merge", "!!set", "!", "!!map")
TAGGED = (
    *("!!str 1", "!!str yes", "!!str 'x'", "!!int 3", "!!int '3'", "!!int 1_0", "!!int 0o7", "!!int x", "!!float 3"),
    *("!!float '1.5'", "!!float 1e3", "!!float yes", "!!bool yes", "!!bool 'off'", "!!bool x", "!!null ''", "!!null ~"),
    *("!!null x", "!!timestamp 2024-01-31", "!!timestamp 2024-13-31", "!!timestamp 2001-1-1t1:2:3.5Z", "!!merge x"),
    *("!!set x", "!!omap 1", "! 12", "! yes", "! '1'", "!!binary ''", "!!map x", "!<tag:yaml.org,2002:int> 7"),
)
