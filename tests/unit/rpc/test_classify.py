"""Error classification: every recorded message, and many that are in no table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import (
    BlockNotYetKnown,
    RangeTooWide,
    RateLimited,
    RpcRefused,
    RpcTimeout,
    RpcUnavailable,
    TooManyAddresses,
)
from indexer.rpc.classify import SHRINKING, Failure, classify, to_error
from indexer.rpc.spelling import find_pair, normalise

RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "range_errors.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
ASKED = 2_000_000


def _failure(record: dict) -> Failure:
    status = record["http_status"]
    return Failure(
        record["message"],
        code=record["code"],
        http_status=400 if isinstance(status, str) else status,
    )


@pytest.mark.parametrize(
    "record", RECORDED, ids=lambda record: f"{record['provider']}: {record['message'][:40]}"
)
def test_every_recorded_message(record):
    verdict = classify(_failure(record), ASKED)
    expected = "unknown" if record["error_class"] == "none" else record["error_class"]
    assert verdict.kind == expected
    if verdict.hint is not None:
        assert verdict.hint <= record["suggested_span"]
        assert verdict.hint >= record["suggested_span"] * 0.8


def test_numbers_in_recorded_messages_are_found():
    without_digits = [record for record in RECORDED if not any(char.isdigit() for char in record["message"])]
    hinted = [record for record in RECORDED if record["suggested_span"] and record not in without_digits]
    assert len(hinted) > 25
    for record in hinted:
        assert classify(_failure(record), ASKED).hint is not None, record["message"]


UNSEEN = [
    ("query returned more than 10000 results", -32005, 200, "result_size", None),
    (
        "query returned more than 10000 results. Try with this block range [0x10, 0x2f].",
        -32005,
        None,
        "result_size",
        31,
    ),
    ("logs matched by query exceeds limit of 10000", -32000, None, "result_size", None),
    ("The number of returned logs is over the limit (10,000)", None, None, "result_size", None),
    ("Query would match too many events", -32000, None, "result_size", None),
    ("Query timeout exceeded. Consider reducing your block range.", -32602, None, "timeout", None),
    ("context deadline exceeded", -32000, None, "timeout", None),
    ("Request took too long to process", None, 200, "timeout", None),
    (
        "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. Based on your parameters, this block range should work: [0x100, 0x109]. Upgrade to PAYG for expanded block range.",
        -32600,
        400,
        "block_range",
        9,
    ),
    (
        "requested too many blocks from 0 to 1999999, maximum is set to 2048",
        -32000,
        None,
        "block_range",
        2047,
    ),
    ("eth_getLogs block range too large, range: 2000000, max: 10000", -32000, None, "block_range", 9999),
    (
        "The range between from block and to block is too wide; 2,000,000 > 2,000",
        None,
        None,
        "block_range",
        1999,
    ),
    ("Max range is 0x3e8 blocks", None, None, "block_range", 999),
    ("fromBlock and toBlock difference exceeds 10k", None, None, "block_range", 9999),
    ("You can query up to 100k blocks at once", None, None, "block_range", 99_999),
    ("block span 2000000 is over the 9,999 limit", None, None, "block_range", 9998),
    ("requested block range 2000000 is larger than 5000", None, None, "block_range", 4999),
    ("Please, specify a range of at most 2,000 blocks", None, None, "block_range", 1999),
    ("getLogs: narrow your range to 800 blocks or fewer", None, None, "block_range", 799),
    ("error: span of blocks must not be greater than 0x400", None, None, "block_range", 1023),
    ("eth_getLogs is limited to 0 - 100 blocks range", None, None, "block_range", 99),
    ("log range of 2000000 exceeds the configured maximum of 12_500", None, None, "block_range", 12_499),
    ("Your plan allows a block range of 500", None, 403, "block_range", 499),
    ("requested to block 5000 after last accepted block 4000", -32000, None, "backend_lag", None),
    (
        "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found.",
        -32000,
        None,
        "backend_lag",
        None,
    ),
    ("block range extends beyond current head block", -32602, None, "backend_lag", None),
    ("header not found", -32000, None, "backend_lag", None),
    ("Unknown block", -39001, None, "backend_lag", None),
    ("toBlock 100 is higher than the latest block 98", None, None, "backend_lag", None),
    ("block #25000000 not found", -32001, None, "backend_lag", None),
    ("node is still syncing, try later", None, None, "backend_lag", None),
    ("missing trie node 51ab (path ) state 0x1234 is not available, not found", -32000, None, "pruned", None),
    ("history has been pruned for this block", 4444, None, "pruned", None),
    ("logs before block 15000000 are not available, earliest block is 15000000", None, None, "pruned", None),
    ("Your app has exceeded its compute units per second capacity.", 429, 429, "rate_limit", None),
    ("project ID request rate exceeded", -32005, 429, "rate_limit", None),
    ("Too Many Requests", None, 429, "rate_limit", None),
    ("you are being throttled, slow down", -32000, None, "rate_limit", None),
    ("rps limit reached: 25/s", -32000, None, "rate_limit", None),
    ("daily request count exceeded, request rate limited", -32005, 429, "plan_limit", None),
    ("You have used all of your monthly credits", None, 402, "plan_limit", None),
    ("invalid project id", None, 401, "plan_limit", None),
    ("Archive requests are not supported on the free plan, please upgrade", -32000, None, "plan_limit", None),
    ("the method eth_getBlockReceipts does not exist/is not available", -32601, None, "unknown_method", None),
    ("Unsupported method: eth_getBlockReceipts", -32004, None, "unknown_method", None),
    ("Method not found", -32700, None, "unknown_method", None),
    ("specify less number of addresses", -32602, None, "address_limit", None),
    ("too many addresses: 1500 > 1000", None, None, "address_limit", None),
    ("exceeds the maximum number of topics", None, None, "address_limit", None),
    ("response exceeds maximum size of 10 MB", None, None, "response_bytes", None),
    ("Response is too big", -32008, None, "response_bytes", None),
    ("payload exceeds 5242880 bytes", None, None, "response_bytes", None),
    ("Bad Gateway", None, 502, "backend", None),
    ("upstream connect error", None, None, "backend", None),
    ("Batch of more than 3 requests are not allowed on free tier", None, 500, "batch_limit", None),
    ("batch too large", -32600, None, "batch_limit", None),
    ("execution reverted: ERC20: nope", 3, None, "reverted", None),
    ("execution reverted", -32000, None, "reverted", None),
    ("", -32000, None, "block_range", None),
    ("something nobody wrote before", -32099, None, "unknown", None),
]


@pytest.mark.parametrize(
    ("message", "code", "status", "kind", "hint"), UNSEEN, ids=[row[0][:60] for row in UNSEEN]
)
def test_wordings_that_are_in_no_table(message, code, status, kind, hint):
    verdict = classify(Failure(message, code=code, http_status=status), ASKED)
    assert (verdict.kind, verdict.hint) == (kind, hint)


@pytest.mark.parametrize(("message", "code", "status", "kind"), [row[:4] for row in UNSEEN])
def test_the_same_words_in_data_or_body(message, code, status, kind):
    verdict = classify(Failure("", detail=message, code=code, http_status=status), ASKED)
    assert verdict.kind == kind


@pytest.mark.parametrize("kind", ["backend_lag", "pruned", "plan_limit", "rate_limit"])
def test_lag_pruned_plan_and_rate_never_shrink(kind):
    rows = [row for row in UNSEEN if row[3] == kind]
    assert rows
    for message, code, status, *_ in rows:
        verdict = classify(Failure(message, code=code, http_status=status), ASKED)
        assert verdict.kind not in SHRINKING
        assert verdict.hint is None
        assert not isinstance(to_error(verdict, "x"), RangeTooWide)


def test_only_the_length_of_a_suggested_range_counts():
    failure = Failure("this block range should work: [0x112a880, 0x112a8c2]")
    assert classify(failure, 1000).hint == 0x42


def test_the_range_that_was_refused_is_no_suggestion():
    failure = Failure("query exceeds max results 20000, retry with the range 100-599")
    assert classify(failure, 500).hint is None
    assert classify(failure, 501).hint == 499


def test_our_own_span_in_the_message_is_not_the_limit():
    failure = Failure(
        "block range is larger than max block range, block range = 5120, max block range = 5000"
    )
    assert classify(failure, 5120).hint == 4999
    assert classify(failure, 5121).hint == 4999


@given(
    asked=st.integers(2, 10_000_000),
    number=st.integers(0, 20_000_000),
    wording=st.sampled_from(
        [
            "max block range is {}",
            "limited to {:,} blocks",
            "range ({} > {})",
            "{:#x} blocks at most, range too wide",
            "narrow your filter: {}",
        ]
    ),
)
@settings(max_examples=200, deadline=None)
def test_a_hint_always_shrinks_and_is_positive(asked, number, wording):
    verdict = classify(Failure(wording.format(number, number)), asked)
    assert verdict.kind == "block_range"
    assert verdict.hint is None or 1 <= verdict.hint < asked


@given(st.text(max_size=200), st.integers(-40_000, 600), st.sampled_from([None, 200, 400, 429, 500, 503]))
@settings(max_examples=300, deadline=None)
def test_any_text_at_all_gets_a_verdict(text, code, status):
    assert to_error(classify(Failure(text, text, code, status), 10), "x") is not None


def test_a_long_hostile_text_is_classified_in_bounded_time():
    for text in ("1" * 100_000, "range " * 20_000, "[" * 50_000, "block " * 30_000 + "limit", "0x" * 50_000):
        classify(Failure(text, text), 10)


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        (Failure("slow down", http_status=429, retry_after=7.0), 7.0),
        (Failure("Too many requests, try again in 15 seconds", http_status=429), 15.0),
        (Failure("rate limited", detail='{"rate":{"backoff_seconds":30}}', http_status=429), 30.0),
        (Failure("rate limited", http_status=429), None),
        (Failure("rate limited", http_status=429, retry_after=1e9), 3600.0),
    ],
)
def test_retry_after(failure, seconds):
    error = to_error(classify(failure), "x")
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("kind_text", "error"),
    [
        ("block range too large", RangeTooWide),
        ("query exceeds max results", RangeTooWide),
        ("backend response too large", RangeTooWide),
        ("too many addresses", TooManyAddresses),
        ("header not found", BlockNotYetKnown),
        ("request timed out", RpcTimeout),
        ("quota exceeded", RpcRefused),
        ("pruned", RpcRefused),
        ("method not found", RpcRefused),
        ("bad gateway", RpcUnavailable),
        ("hm", RpcUnavailable),
    ],
)
def test_the_error_that_stands_for_a_verdict(kind_text, error):
    assert type(to_error(classify(Failure(kind_text), 100), "x")) in (error, *error.__subclasses__())


@pytest.mark.parametrize(
    ("spelled", "plain"),
    [
        ("10,000 blocks", "10000 blocks"),
        ("1_000_000", "1000000"),
        ("2K range", "2000 range"),
        ("1.5k", "1500"),
        ("150MB", "150mb"),
        ("0x10", "16"),
        ("<h1>Bad  Gateway</h1>", "bad gateway"),
    ],
)
def test_numbers_have_one_spelling(spelled, plain):
    assert normalise(spelled) == plain


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("[0x10, 0x20]", (16, 32)),
        ("[100,200]", (100, 200)),
        ("range 100-200", (100, 200)),
        ("from 5 to 9", (5, 9)),
        ("fromBlock: 0x1, toBlock: 0x2", (1, 2)),
        ("blocks 7..9", (7, 9)),
        ("limited to a range 10,000", None),
        ("[9, 3]", None),
    ],
)
def test_ranges_have_one_spelling(text, pair):
    assert find_pair(normalise(text)) == pair
