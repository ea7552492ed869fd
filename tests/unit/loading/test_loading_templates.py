"""Templates: what they may do, and that everything else ends quickly in a TemplateProblem."""

from __future__ import annotations

import pytest

from planner.jinja_templating import TemplateProblem, render_template_text
from planner.loading.template_lines import TemplateLineMap

CONTEXT = {
    "node": {"name": "N1", "values": {"a": 1}, "items": [1, 2]},
    "lanes": [{"name": "l1"}],
    "big": list(range(1000)),
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ node.name }}", "N1"),
        ("{{ node.values.a }}{{ node['items'] | json }}", "1[1, 2]"),
        ("{% for key, value in node.values.items() %}{{ key }}{% endfor %}", "a"),
        ("{{ true }} {{ 1 + 2 }} {{ 'a' ~ 1 }}", "true 3 a1"),
        ("{{ ['a', 'b'] | join(',') }} {{ 'Mi' | replace('Mi', 'MB') }}", "a,b MB"),
        ("x:\n  {{ 'a\nb' | indent(2) }}", "x:\n  a\n  b"),
        ("{{ 'a' | sha256 | length }} {{ 'on' | quote }}", '64 "on"'),
        ("a\n---\nb", "a\n--- #@2\nb"),
    ],
)
def test_what_templates_can_do(source: str, text: str) -> None:
    assert render_template_text(source, CONTEXT) == text


DOUBLED = "{% set a = 'xxxxxxxxxxxxxxxx' %}"


@pytest.mark.cpu(20)
@pytest.mark.parametrize(
    "source",
    [
        "{{ nope }}", "{{ node.nope }}", "{{ node.nope.x }}", "{{ [1][5] }}", "{{ none }}", "{{ lanes }}",
        "{{ ''.__class__ }}", "{{ ''['__class__'] }}", "{{ node.get.__self__ }}",
        "{{ node.pop('name') }}", "{{ lanes.append(1) }}",
        "{{ range(10) }}", "{{ lipsum() }}", "{{ cycler }}", "{{ self.__init__ }}",
        "{{ dict(a=1) }}", "{{ namespace() }}",
        "{{ 'a' * 10 }}", "{{ 2 ** 9 }}", "{{ '%99d' % 1 }}", "{{ [1] * 9 }}", "{{ '{0.__class__}'.format(1) }}",
        "{{ 'a'.ljust(9) }}", "{{ 'a' | center(9) }}", "{{ node | attr('get') }}",
        "{{ 'a' | format }}", "{{ [1] | random }}",
        "{{ [''] | map(attribute='__class__') | first }}", "{{ 1 / 0 }}", "{{ a b }}", "{% if %}",
        "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{% from 'x' import y %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in big %}{% for b in big %}{% endfor %}{% endfor %}",
        "{% set a %}xxxxxxxx{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40,
        DOUBLED + "{% set a = a ~ a %}" * 40, DOUBLED + "{% set a = a + a %}" * 40,
        DOUBLED + "{% set a = [a, a] | join %}" * 40, DOUBLED + "{% set a = a | replace('x', a) %}" * 40,
        "{% set a = [1, 2] %}" + "{% set a = a + a %}" * 40,
        "{% set a = [1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a | json }}",
        "{{ 'a' | indent(1000) }}", "{{ big | join('x' | replace('x', big | join)) }}",
    ],
)  # fmt: skip
def test_everything_else_is_a_problem(source: str) -> None:
    with pytest.raises(TemplateProblem) as caught:
        render_template_text(source, CONTEXT)
    assert " at 0x" not in caught.value.message


def test_a_problem_has_its_line_and_a_close_word() -> None:
    with pytest.raises(TemplateProblem) as caught:
        render_template_text("a\n{% if true %}\n{{ node.nmae }}\n{% endif %}\n", CONTEXT)
    assert (caught.value.line, caught.value.message) == (3, 'no "nmae" here, did you mean "name"?')


def test_lines_of_templates_are_found_again() -> None:
    template = (
        "{# head #}\n{% for one in lanes %}\n---\n# note\nkind: A\nname: {{ one.name }}\ndata:\n  x: on\n{% endfor %}"
    )
    rendered = render_template_text(template, {"lanes": [{"name": "a"}, {"name": "b"}]})
    lines = TemplateLineMap(rendered, template)
    for number, text in enumerate(rendered.split("\n"), 1):
        if text.startswith("kind"):
            assert lines.document_line(number) == 5
        for word, line in (("kind", 5), ("name", 6), ("data", 7), ("  x", 8)):
            if text.startswith(word):
                assert lines.line(number) == line
