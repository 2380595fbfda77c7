"""Whatever a service answers: the tokens say what follows, and where the answer ends."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from selftest.tds.raw_client import DONE_ERROR, DONE_MORE, Told, tokens
from vdi_conformance.tds.answering import AnswerEncoder, CallEncoder
from vdi_conformance.tds.answers import (
    Answer,
    DatabaseChanged,
    Message,
    OutputValue,
    Parameter,
    ReturnStatus,
    SqlType,
    StatementEnd,
    TransactionBegun,
    TransactionEnded,
)

INT = SqlType("int")
MESSAGES = st.builds(
    Message,
    st.integers(0, 2**31 - 1),
    st.text("aü𝄞\n", max_size=20),
    severity=st.integers(0, 25),
    state=st.integers(0, 255),
    line=st.integers(0, 2**31 - 1),
    procedure=st.text("pü", max_size=5),
)
ENDS = st.builds(StatementEnd, st.none() | st.integers(0, 2**63), st.booleans())
ANSWERS = st.lists(
    MESSAGES
    | ENDS
    | st.builds(DatabaseChanged, st.text("dü", max_size=128), st.text("dü", max_size=128))
    | st.builds(TransactionBegun, st.integers(1, 2**63))
    | st.builds(TransactionEnded, st.integers(1, 2**63), st.booleans())
    | st.builds(ReturnStatus, st.integers(-(2**31), 2**31 - 1)),
    max_size=8,
)


def is_done(told: Told) -> bool:
    return told.kind.startswith("done")


def encoded(encoder: AnswerEncoder, answers: list[Answer]) -> list[Told]:
    """Encode answers, and read the tokens that come of them."""
    return tokens(b"".join([*map(encoder.encode, answers), encoder.finish()]))


@settings(max_examples=100)
@given(ANSWERS)
def test_the_last_token_of_a_batch_alone_says_that_nothing_follows(answers: list[Answer]) -> None:
    told = encoded(AnswerEncoder("server"), answers)
    dones = [one for one in told if is_done(one)]
    assert is_done(told[-1])
    assert [bool(one.number & DONE_MORE) for one in dones] == [True] * (len(dones) - 1) + [False]
    ends = [one for one in answers if isinstance(one, StatementEnd)]
    assert [(bool(one.number & DONE_ERROR), one.rows) for one in dones[: len(ends)]] == [
        (end.failed, end.rows) for end in ends
    ]
    assert [one.number for one in told if one.kind in ("error", "info")] == [
        one.number for one in answers if isinstance(one, Message)
    ]


@settings(max_examples=100)
@given(ANSWERS)
def test_a_call_ends_with_its_status_and_one_token(answers: list[Answer]) -> None:
    told = encoded(CallEncoder("server", ()), answers)
    assert [one.kind for one in told[-2:]] == ["status", "done procedure"]
    assert not told[-1].number & DONE_MORE
    assert [one.kind for one in told[:-2] if is_done(one)] == ["done in procedure"] * sum(map(is_done, told[:-2]))
    given_back = [one.value for one in answers if isinstance(one, ReturnStatus)]
    assert told[-2].number == (given_back[-1] if given_back else 0)


def test_outputs_are_told_with_the_places_of_their_parameters() -> None:
    parameters = [Parameter(name, INT, None, is_output=name != "@in") for name in ("@in", "@a", "", "@b", "")]
    encoder = CallEncoder("server", parameters)
    for name in ("@B", "", "@a", ""):
        encoder.encode(OutputValue(name, INT, 1))
    data = encoder.finish()
    places = [int.from_bytes(part[:2], "little") for part in data.split(b"\xac")[1:]]
    assert places == [3, 2, 1, 4]


def test_a_long_text_is_cut_between_characters() -> None:
    encoder = AnswerEncoder("s" * 300)
    (told, _) = encoded(encoder, [Message(50000, "𝄞" * 20_000, 16)])
    assert told.text == "𝄞" * 8_000
