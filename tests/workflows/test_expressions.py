"""The language of expressions, by the platform's documentation and its own library."""

from typing import Any

import pytest

from .expressions import (
    NotRunnable,
    Place,
    check,
    condition,
    evaluate,
    expressions,
    fill,
    parse,
    text,
)

CONTEXTS: dict[str, Any] = {
    "github": {
        "ref": "refs/heads/Main",
        "event": {"labels": [{"name": "bug"}, {"name": "Help"}, {"other": 1}], "none": None},
    },
    "fruits": [{"name": "apple", "n": [1, 2]}, {"name": "pear", "n": [3]}],
    "vegetables": {"beets": {"colours": ["red"]}, "peas": {"colours": ["green"]}},
    "steps": {"made": {"outputs": {"a-b": "3"}, "outcome": "success"}},
    "list": ["x", "Y", 1, None],
}
PLACE = Place(frozenset(CONTEXTS), frozenset({"always", "success"}))


def value(source: str) -> Any:
    node = parse(source)
    check(node, PLACE, {})
    return evaluate(node, CONTEXTS, {"always": lambda: True, "success": lambda: False})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("null", None),
        ("true", True),
        ("711", 711),
        ("-9.2", -9.2),
        ("0xff", 255),
        ("0o17", 15),
        ("-2.99e-2", -0.0299),
        (".5", 0.5),
        ("'It''s ''open'''", "It's 'open'"),
        ("''", ""),
        ("'${{ a }}'", "${{ a }}"),
    ],
)
def test_literals(source: str, expected: Any) -> None:
    result = value(source)
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 || 0 && 0", 1),
        ("(1 || 0) && 0", 0),
        ("!true == false", True),
        ("!(true == true)", False),
        ("!!'a'", True),
        ("1 < 2 == true", True),
        ("3 > 2 > 1", False),
        ("'a' && 'b'", "b"),
        ("'' || 'b'", "b"),
        ("0 || ''", ""),
        ("false && fromJSON('no json')", False),
        ("NaN || 'b'", "b"),
        ("list && 1", 1),
    ],
)
def test_operators_bind_and_stop_as_on_the_platform(source: str, expected: Any) -> None:
    result = value(source)
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'Main' == 'mAIN'", True),
        ("'a' < 'B'", True),
        ("1 == '1'", True),
        ("1 == ' 1.0 '", True),
        ("0 == ''", True),
        ("null == 0", True),
        ("null == ''", True),
        ("null == false", True),
        ("true == 1", True),
        ("true == 'true'", False),
        ("'0x10' == 16", True),
        ("'a' == 0", False),
        ("'a' < 1", False),
        ("'a' >= 1", False),
        ("'a' != 1", True),
        ("NaN == NaN", False),
        ("Infinity > 1e308", True),
        ("2 <= 2", True),
        ("'10' < '9'", True),
        ("'10' < 9", False),
        ("list == list", True),
        ("fruits == fromJSON('[]')", False),
        ("fruits == 'Array'", False),
    ],
)
def test_comparisons_are_loose(source: str, expected: bool) -> None:
    assert value(source) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("github.ref", "refs/heads/Main"),
        ("GitHub['REF']", "refs/heads/Main"),
        ("steps.made.outputs.a-b", "3"),
        ("list[1]", "Y"),
        ("list['1']", "Y"),
        ("list[1.9]", "Y"),
        ("list[9]", None),
        ("list[-1]", None),
        ("github.missing.deeper", None),
        ("github.ref.deeper", None),
        ("fruits[0].name", "apple"),
        ("fruits.*.name", ["apple", "pear"]),
        ("fruits[*].n[0]", [1, 3]),
        ("fruits.*.n.*", [1, 2, 3]),
        ("vegetables.*.colours", [["red"], ["green"]]),
        ("vegetables[format('{0}s', 'pea')].colours[0]", "green"),
        ("github.event.labels.*.name", ["bug", "Help"]),
        ("github.ref.*", []),
    ],
)
def test_indices_and_filters(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("contains('Hello world', 'LLO')", True),
        ("contains('Hello', 'x')", False),
        ("contains(list, 'y')", True),
        ("contains(list, '1')", True),
        ("contains(list, 'z')", False),
        ("contains(github.event.labels.*.name, 'help')", True),
        ("contains(fromJSON('[\"push\"]'), 'push')", True),
        ("startsWith('Hello', 'hE')", True),
        ("startsWith('Hello', 'lo')", False),
        ("ENDSWITH('Hello', 'LO')", True),
        ("endsWith('Hello', 'he')", False),
        ("format('{1} {0} {1}', 'a', 2)", "2 a 2"),
        ("format('{{Hello {0}!}}', 'Mona')", "{Hello Mona!}"),
        ("join(github.event.labels.*.name, ', ')", "bug, Help"),
        ("join(list)", "x,Y,1,"),
        ("join('a', '-')", "a"),
        ("toJSON(fruits[0])", '{\n  "name": "apple",\n  "n": [\n    1,\n    2\n  ]\n}'),
        ("toJSON('é')", '"é"'),
        ("fromJSON('{\"a\": [1, null]}').a[0]", 1),
        ("fromJSON('true')", True),
        ("case(false, 'a', true, 'b', 'c')", "b"),
        ("case(1 == 2, 'a', 'c')", "c"),
        ("always() && !success()", True),
    ],
)
def test_functions(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (None, ""),
        (True, "true"),
        (3, "3"),
        (3.0, "3"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (1e20, "1E+20"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_values_as_strings(thing: Any, expected: str) -> None:
    assert text(thing) == expected


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "the end"),
        ("1 +", "cannot be read"),
        ("a = b", "cannot be read"),
        ('"double"', "cannot be read"),
        ("'open", "cannot be read"),
        ("1.2.3", "cannot be read"),
        ("(1", "')' is missing"),
        ("list[0", "']' is missing"),
        ("format('{0}' 1)", "',' is missing"),
        ("list 1", "'1' is not expected"),
        ("'a'.b", "'.' is not expected"),
        ("list.1", "'.1' is not expected"),
        ("0o9", "cannot be read"),
        ("list.", "is not a name"),
        ("gihub.ref", "no context 'gihub'"),
        ("env.A", "no context 'env'"),
        ("contians('a', 'a')", "no function 'contians'"),
        ("failure()", "no function 'failure'"),
        ("contains('a')", "does not take 1"),
        ("always(1)", "does not take 1"),
        ("case(true, 1)", "does not take 2"),
        ("case(true, 1, false, 2)", "does not take 4"),
        ("case('a', 1, 2)", "neither true nor false"),
        ("format('{1}', 1)", "does not go with 1"),
        ("format('{0', 1)", "does not go with 1"),
        ("format('{0:x}', 1)", "does not go with 1"),
        ("fromJSON('')", "is not JSON"),
        ("fromJSON('{')", "is not JSON"),
        ("fromJSON(NaN)", "is not JSON"),
        ("toJSON(NaN)", "cannot be written"),
        ("format('{0}', fruits)", "use toJSON"),
        ("join(fruits)", "use toJSON"),
    ],
)
def test_what_the_platform_refuses_is_refused(source: str, reason: str) -> None:
    with pytest.raises(NotRunnable, match=reason.replace("(", r"\(").replace(")", r"\)")):
        value(source)


NAMES = {"steps": {"made": {"outputs": None, "outcome": None}}, "github": {"event": None}}


@pytest.mark.parametrize(
    "source",
    [
        "steps.made.outputs.any",
        "Steps.MADE.outcome",
        "steps.*.outcome",
        "github.event.any[0].thing",
    ],
)
def test_names_that_exist_may_be_used(source: str) -> None:
    check(parse(source), PLACE, NAMES)


@pytest.mark.parametrize(
    "source",
    [
        "steps.maed",
        "!steps.maed.outcome",
        "steps.made.output",
        "github['even'].x",
        "steps[list[0]]",
    ],
)
def test_a_name_that_does_not_exist_is_a_slip(source: str) -> None:
    with pytest.raises(NotRunnable, match=r"there is no|not computed"):
        check(parse(source), PLACE, NAMES)


def test_a_string_of_one_expression_keeps_its_kind_and_others_become_strings() -> None:
    template = {
        "a": "${{ 1 }}",
        "b": [" ${{ 2 }} "],
        "c": "${{ 1 }}${{ '}}' }}-${{ null }}",
        "d": 4,
    }
    filled = fill(template, lambda source: evaluate(parse(source), {}, {}))
    assert filled == {"a": 1, "b": [2], "c": "1}}-", "d": 4}


def test_expressions_are_found_wherever_they_stand() -> None:
    assert expressions({"${{ 1 }}": ["a ${{ 2 }} ${{ '}}' }}", 3]}) == [" 1 ", " 2 ", " '}}' "]
    with pytest.raises(NotRunnable, match="not closed"):
        expressions("${{ 1 }")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a == 1", "success() && (a == 1)"),
        ("${{ a || b }}", "success() && ( a || b )"),
        ("!Cancelled()", "!Cancelled()"),
        ("${{ a[always()] }}", " a[always()] "),
        ("'failure()'", "success() && ('failure()')"),
        (False, "success() && (false)"),
    ],
)
def test_a_condition_asks_for_success_unless_it_asks_for_a_status(
    source: Any, expected: str
) -> None:
    assert condition(source) == expected


def test_a_condition_with_text_around_it_would_always_be_true() -> None:
    with pytest.raises(NotRunnable, match="always true"):
        condition("${{ false }} && true")
