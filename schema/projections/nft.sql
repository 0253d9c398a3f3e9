-- projection: nft
-- tables: state.nft, state.nft_unexpanded, state.carbon_credit, state.carbon_retirement
-- reads: event.erc721_transfer, event.erc2309_consecutive_transfer, event.erc721_approval, event.minter_gemforce_minted, event.carbon_credits_initialized, event.carbon_credits_retired
--
-- The owner is the receiver of the last transfer, whatever sender it names: forced transfers name senders that never owned the
-- token, and all that comes of it is that the row is marked. ERC-721A emits one Transfer per token; its ERC721ATransfer repeats
-- them and is not read. A ConsecutiveTransfer is expanded up to 10,000 tokens (both known implementations stop at 5,000),
-- so that one log cannot fill the database; what is beyond goes to state.nft_unexpanded. A transfer clears the approval.
--
-- The carbon credits of tokens are folded here too, and first: a retirement names nobody, only the owner at that log can
-- retire, and until the tokens are folded state.nft says who owned what before this range.

-- Retirements. The balance before each is what the credit event before it said; the one after is what its own event says.
WITH spoken AS (
    SELECT address AS contract, token_id, NULL::numeric AS amount, initial_balance AS balance,
        block_number, log_index, tx_hash, block_time
    FROM event.carbon_credits_initialized
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, amount, remaining_balance, block_number, log_index, tx_hash, block_time
    FROM event.carbon_credits_retired
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), counted AS (
    SELECT spoken.*, lag(spoken.balance, 1, live.remaining) OVER (
            PARTITION BY contract, token_id ORDER BY spoken.block_number, spoken.log_index
        ) AS balance_before
    FROM spoken
    LEFT JOIN (SELECT contract, token_id, remaining FROM state.carbon_credit WHERE chain_id = $1) AS live
        USING (contract, token_id)
), retired AS MATERIALIZED (
    SELECT contract, token_id, amount, balance, block_number, log_index, tx_hash, block_time,
        CASE
            WHEN balance_before IS NULL THEN 'retired without having been initialised'
            WHEN amount > balance_before THEN 'retired more than there was'
            WHEN balance_before - amount <> balance THEN 'what remains is not what there was less what was retired'
        END AS reason
    FROM counted
    WHERE amount IS NOT NULL
), concerned AS MATERIALIZED (
    SELECT DISTINCT contract, token_id FROM retired
), stream AS (
    SELECT retired.*, NULL::bytea AS holder, false AS moved
    FROM retired
    UNION ALL
    SELECT address, token_id, NULL, NULL, block_number, log_index, tx_hash, block_time, NULL, to_, true
    FROM event.erc721_transfer
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND address = ANY (ARRAY(SELECT DISTINCT contract FROM retired))
    UNION ALL
    SELECT contract, concerned.token_id, NULL, NULL, block_number, log_index, tx_hash, block_time, NULL, to_, true
    FROM concerned
    JOIN event.erc2309_consecutive_transfer AS transfer
        ON transfer.address = concerned.contract
        AND concerned.token_id BETWEEN transfer.from_token_id AND transfer.to_token_id
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), placed AS (
    SELECT stream.*,
        count(*) FILTER (WHERE moved) OVER (PARTITION BY contract, token_id ORDER BY block_number, log_index) AS era
    FROM stream
), owned AS (
    SELECT contract, token_id, amount, balance, block_number, log_index, tx_hash, block_time, reason, moved, era,
        sync.address_or_null(
            first_value(holder) OVER (PARTITION BY contract, token_id, era ORDER BY block_number, log_index)
        ) AS holder
    FROM placed
)
INSERT INTO state.carbon_retirement (
    chain_id, block_number, log_index, contract, token_id, amount, remaining_after, retired_by, tx_hash, block_time,
    inconsistent, inconsistency, updated_block
)
SELECT $1, said.block_number, said.log_index, said.contract, said.token_id, said.amount, said.balance,
    CASE WHEN said.era > 0 THEN said.holder ELSE earlier.owner END,
    said.tx_hash, said.block_time, verdict.reason IS NOT NULL, verdict.reason, said.block_number
FROM owned AS said
LEFT JOIN LATERAL (
    SELECT whole.owner, true AS known
    FROM (
        SELECT owner, last_transfer_block AS block_number, 2147483647 AS log_index
        FROM state.nft
        WHERE chain_id = $1 AND contract = said.contract AND token_id = said.token_id
        UNION ALL
        SELECT owner, block_number, log_index
        FROM state.nft_unexpanded
        WHERE chain_id = $1 AND contract = said.contract AND said.token_id BETWEEN first_token_id AND last_token_id
    ) AS whole
    ORDER BY whole.block_number DESC, whole.log_index DESC
    LIMIT 1
) AS earlier ON true
CROSS JOIN LATERAL (
    SELECT coalesce(
        said.reason,
        CASE
            WHEN CASE WHEN said.era > 0 THEN said.holder IS NULL ELSE earlier.known AND earlier.owner IS NULL END
            THEN 'retired although the token was burned'
        END
    ) AS reason
) AS verdict
WHERE NOT said.moved;

-- Credits. They may be initialised again once none are left, so totals add up and the last event says what remains.
WITH spoken AS MATERIALIZED (
    SELECT address AS contract, token_id, NULL::numeric AS amount, initial_balance AS balance, block_number, log_index
    FROM event.carbon_credits_initialized
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, amount, remaining_balance, block_number, log_index
    FROM event.carbon_credits_retired
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), counted AS (
    SELECT spoken.*, lag(spoken.balance, 1, live.remaining) OVER (
            PARTITION BY contract, token_id ORDER BY spoken.block_number, spoken.log_index
        ) AS balance_before
    FROM spoken
    LEFT JOIN (SELECT contract, token_id, remaining FROM state.carbon_credit WHERE chain_id = $1) AS live
        USING (contract, token_id)
), judged AS (
    SELECT counted.*,
        CASE
            WHEN amount IS NULL AND balance_before > 0 THEN 'initialised again with credits left'
            WHEN amount IS NULL THEN NULL
            WHEN balance_before IS NULL THEN 'retired without having been initialised'
            WHEN amount > balance_before THEN 'retired more than there was'
            WHEN balance_before - amount <> balance THEN 'what remains is not what there was less what was retired'
        END AS reason
    FROM counted
), summed AS (
    SELECT contract, token_id,
        (array_agg(balance ORDER BY block_number DESC, log_index DESC) FILTER (WHERE amount IS NULL))[1] AS initial_balance,
        coalesce(sum(balance) FILTER (WHERE amount IS NULL), 0) AS initialized,
        coalesce(sum(amount), 0) AS retired,
        (array_agg(balance ORDER BY block_number DESC, log_index DESC))[1] AS remaining,
        (array_agg(reason ORDER BY block_number, log_index) FILTER (WHERE reason IS NOT NULL))[1] AS reason,
        max(block_number) AS block_number
    FROM judged
    GROUP BY contract, token_id
)
INSERT INTO state.carbon_credit AS live (
    chain_id, contract, token_id, initial_balance, total_initialized, total_retired, remaining, status,
    inconsistent, inconsistency, updated_block
)
SELECT $1, contract, token_id, initial_balance, initialized, retired, remaining,
    CASE WHEN remaining > 0 THEN 'active' ELSE 'retired' END, reason IS NOT NULL, reason, block_number
FROM summed
ON CONFLICT (chain_id, contract, token_id) DO UPDATE
SET initial_balance = coalesce(excluded.initial_balance, live.initial_balance),
    total_initialized = live.total_initialized + excluded.total_initialized,
    total_retired = live.total_retired + excluded.total_retired,
    remaining = excluded.remaining,
    status = excluded.status,
    inconsistent = live.inconsistent OR excluded.inconsistent,
    inconsistency = coalesce(live.inconsistency, excluded.inconsistency),
    updated_block = greatest(live.updated_block, excluded.updated_block);

-- Tokens: last transfer, last mint, approvals since.
WITH move AS (
    SELECT address AS contract, token_id, from_, to_, block_number, log_index, tx_hash
    FROM event.erc721_transfer
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION ALL
    SELECT address, token_id, from_, to_, block_number, log_index, tx_hash
    FROM event.erc2309_consecutive_transfer,
        generate_series(from_token_id, least(to_token_id, from_token_id + 9999)) AS token_id
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), walk AS (
    SELECT
        *,
        lag(to_) OVER token AS holder,
        lead(block_number) OVER token IS NULL AS is_last
    FROM move
    WINDOW token AS (PARTITION BY contract, token_id ORDER BY block_number, log_index)
), last_move AS (
    SELECT contract, token_id, to_, block_number, log_index
    FROM walk
    WHERE is_last
), odd AS (
    SELECT DISTINCT walk.contract, walk.token_id
    FROM walk
    LEFT JOIN state.nft AS known
        ON holder IS NULL AND known.chain_id = $1
        AND known.contract = walk.contract AND known.token_id = walk.token_id
    WHERE from_ <> CASE
        WHEN holder IS NOT NULL THEN holder
        WHEN known.chain_id IS NOT NULL THEN coalesce(known.owner, '\x0000000000000000000000000000000000000000'::bytea)
    END
), mint AS (
    SELECT DISTINCT ON (contract, token_id) contract, token_id, to_, block_number, tx_hash
    FROM move
    WHERE sync.address_or_null(from_) IS NULL AND sync.address_or_null(to_) IS NOT NULL
    ORDER BY contract, token_id, block_number DESC, log_index DESC
), named AS (
    SELECT DISTINCT ON (address, token_id, tx_hash) address AS contract, token_id, tx_hash, owner
    FROM event.minter_gemforce_minted
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, token_id, tx_hash, log_index DESC
), approval AS (
    SELECT DISTINCT ON (address, token_id) address AS contract, token_id, approved, block_number, log_index
    FROM event.erc721_approval
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, token_id, block_number DESC, log_index DESC
)
INSERT INTO state.nft AS live (
    chain_id, contract, token_id, owner, approved, minter, minted_block, burned, last_transfer_block, inconsistent,
    inconsistency, updated_block
)
SELECT
    $1,
    last_move.contract,
    last_move.token_id,
    sync.address_or_null(last_move.to_),
    sync.address_or_null(approval.approved),
    coalesce(sync.address_or_null(named.owner), mint.to_),
    mint.block_number,
    sync.address_or_null(last_move.to_) IS NULL,
    last_move.block_number,
    odd.contract IS NOT NULL,
    CASE WHEN odd.contract IS NOT NULL THEN 'a transfer named a sender that did not own it' END,
    greatest(last_move.block_number, approval.block_number)
FROM last_move
LEFT JOIN mint USING (contract, token_id)
LEFT JOIN odd USING (contract, token_id)
LEFT JOIN named ON named.contract = mint.contract AND named.token_id = mint.token_id AND named.tx_hash = mint.tx_hash
LEFT JOIN approval
    ON approval.contract = last_move.contract AND approval.token_id = last_move.token_id
    AND (approval.block_number, approval.log_index) > (last_move.block_number, last_move.log_index)
ON CONFLICT (chain_id, contract, token_id) DO UPDATE
SET owner = excluded.owner,
    approved = excluded.approved,
    minter = CASE WHEN excluded.minted_block IS NULL THEN live.minter ELSE excluded.minter END,
    minted_block = coalesce(excluded.minted_block, live.minted_block),
    burned = excluded.burned,
    last_transfer_block = excluded.last_transfer_block,
    inconsistent = live.inconsistent OR excluded.inconsistent,
    inconsistency = coalesce(live.inconsistency, excluded.inconsistency),
    updated_block = excluded.updated_block;

-- Approvals of tokens that did not move in this range; a token whose transfers were never seen has no row and gets none.
WITH approval AS (
    SELECT DISTINCT ON (address, token_id) address AS contract, token_id, approved, block_number
    FROM event.erc721_approval
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    ORDER BY address, token_id, block_number DESC, log_index DESC
)
UPDATE state.nft AS live
SET approved = sync.address_or_null(approval.approved), updated_block = approval.block_number
FROM approval
WHERE live.chain_id = $1 AND live.contract = approval.contract AND live.token_id = approval.token_id
  AND live.last_transfer_block < $2;

INSERT INTO state.nft_unexpanded (
    chain_id, contract, block_number, log_index, first_token_id, last_token_id, owner, updated_block
)
SELECT $1, address, block_number, log_index, from_token_id + 10000, to_token_id, sync.address_or_null(to_), block_number
FROM event.erc2309_consecutive_transfer
WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3 AND to_token_id >= from_token_id + 10000;

-- Owners of the tokens that carry credits, now that the tokens are folded.
WITH touched AS (
    SELECT credit.contract, credit.token_id
    FROM event.erc721_transfer AS transfer
    JOIN state.carbon_credit AS credit
        ON credit.chain_id = $1 AND credit.contract = transfer.address AND credit.token_id = transfer.token_id
    WHERE transfer.chain_id = $1 AND transfer.block_number BETWEEN $2 AND $3
    UNION
    SELECT credit.contract, credit.token_id
    FROM event.erc2309_consecutive_transfer AS transfer
    JOIN state.carbon_credit AS credit
        ON credit.chain_id = $1 AND credit.contract = transfer.address
        AND credit.token_id BETWEEN transfer.from_token_id AND transfer.to_token_id
    WHERE transfer.chain_id = $1 AND transfer.block_number BETWEEN $2 AND $3
    UNION
    SELECT address, token_id FROM event.carbon_credits_initialized
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
    UNION
    SELECT address, token_id FROM event.carbon_credits_retired
    WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
), owned AS (
    SELECT touched.contract, touched.token_id, latest.owner, latest.block_number
    FROM touched
    CROSS JOIN LATERAL (
        SELECT whole.owner, whole.block_number
        FROM (
            SELECT owner, last_transfer_block AS block_number, 2147483647 AS log_index
            FROM state.nft
            WHERE chain_id = $1 AND contract = touched.contract AND token_id = touched.token_id
            UNION ALL
            SELECT owner, block_number, log_index
            FROM state.nft_unexpanded
            WHERE chain_id = $1 AND contract = touched.contract AND touched.token_id BETWEEN first_token_id AND last_token_id
        ) AS whole
        ORDER BY whole.block_number DESC, whole.log_index DESC
        LIMIT 1
    ) AS latest
)
UPDATE state.carbon_credit AS live
SET owner = owned.owner, updated_block = greatest(live.updated_block, owned.block_number)
FROM owned
WHERE live.chain_id = $1 AND live.contract = owned.contract AND live.token_id = owned.token_id
  AND (live.owner IS DISTINCT FROM owned.owner OR live.updated_block < owned.block_number);
