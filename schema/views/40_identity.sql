-- Identities: wallets, claims now and over time, topics and issuers.

CREATE OR REPLACE VIEW analytics.identity AS
SELECT wallet.chain_id, analytics.hex(wallet.wallet) AS wallet, analytics.hex(wallet.announcer) AS announcer,
    analytics.hex(wallet.identity) AS identity, analytics.hex(wallet.owner) AS owner, wallet.registered,
    analytics.hex(wallet.registered_by) AS registered_by, wallet.factory_created_block, wallet.registered_block,
    wallet.removed_block, held.claim_topics, wallet.inconsistent, wallet.inconsistency,
    wallet.wallet AS wallet_bytes, wallet.identity AS identity_bytes
FROM state.identity AS wallet
LEFT JOIN LATERAL (
    SELECT array_agg(claim.claim_topic ORDER BY claim.claim_topic) AS claim_topics FROM state.registry_claim AS claim
    WHERE claim.chain_id = wallet.chain_id AND claim.diamond = wallet.announcer AND claim.identity = wallet.identity
      AND claim.removed_block IS NULL
) AS held ON true;
COMMENT ON VIEW analytics.identity IS 'Which identity contract a wallet has, by each factory or diamond that said so, and the topics of its claims there.';
COMMENT ON COLUMN analytics.identity.wallet IS 'The account.';
COMMENT ON COLUMN analytics.identity.announcer IS 'The factory or diamond.';
COMMENT ON COLUMN analytics.identity.owner IS 'The account the identity contract was created for; NULL when that was not seen.';
COMMENT ON COLUMN analytics.identity.registered IS 'Whether the registry of the announcer holds the wallet.';
COMMENT ON COLUMN analytics.identity.registered_by IS 'The trusted issuer that registered it.';
COMMENT ON COLUMN analytics.identity.factory_created_block IS 'Block in which a factory created the contract.';
COMMENT ON COLUMN analytics.identity.registered_block IS 'Block in which it was registered last.';
COMMENT ON COLUMN analytics.identity.removed_block IS 'Block that removed it; NULL while it is there.';
COMMENT ON COLUMN analytics.identity.claim_topics IS 'Topics of its claims that hold in the registry of the announcer; NULL when there are none.';
COMMENT ON COLUMN analytics.identity.wallet_bytes IS 'The account as bytes, for filters that use an index.';
COMMENT ON COLUMN analytics.identity.identity_bytes IS 'The identity contract as bytes, for filters that use an index.';

CREATE OR REPLACE VIEW analytics.claim AS
SELECT claim.chain_id, 'registry'::text AS source, analytics.hex(claim.diamond) AS registry, analytics.hex(claim.identity) AS identity,
    claim.claim_topic, NULL::text AS claim_id, analytics.hex(claim.issuer) AS issuer, analytics.hex(claim.claim) AS claim,
    NULL::text AS uri, claim.removed_block IS NULL AS active, claim.added_block, claim.removed_block,
    claim.inconsistent, claim.inconsistency, claim.identity AS identity_bytes
FROM state.registry_claim AS claim
UNION ALL
SELECT claim.chain_id, 'erc735', NULL, analytics.hex(claim.identity), claim.topic, analytics.hex(claim.claim_id),
    analytics.hex(claim.issuer), NULL, claim.uri, claim.active, claim.added_block, claim.removed_block,
    claim.inconsistent, claim.inconsistency, claim.identity
FROM state.identity_claim AS claim;
COMMENT ON VIEW analytics.claim IS 'Claims as they stand: those in the registries of diamonds and those that identity contracts hold (ERC-735).';
COMMENT ON COLUMN analytics.claim.source IS 'registry or erc735.';
COMMENT ON COLUMN analytics.claim.registry IS 'The diamond whose registry has it; NULL for ERC-735.';
COMMENT ON COLUMN analytics.claim.claim_id IS 'Id of an ERC-735 claim.';
COMMENT ON COLUMN analytics.claim.issuer IS 'The issuer; NULL where older builds do not say.';
COMMENT ON COLUMN analytics.claim.claim IS 'The claim in the registry, as hex.';
COMMENT ON COLUMN analytics.claim.uri IS 'Where an ERC-735 claim can be looked up.';
COMMENT ON COLUMN analytics.claim.active IS 'Whether it holds.';
COMMENT ON COLUMN analytics.claim.added_block IS 'Block that added it last.';
COMMENT ON COLUMN analytics.claim.removed_block IS 'Block that removed it; NULL while it holds.';
COMMENT ON COLUMN analytics.claim.identity_bytes IS 'The identity contract as bytes, for filters that use an index.';

CREATE OR REPLACE VIEW analytics.identity_history AS
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash) AS tx_hash, 'created'::text AS action,
    analytics.hex(owner) AS wallet, analytics.hex(identity) AS identity, analytics.hex(address) AS announcer,
    NULL::text AS by_issuer
FROM event.identity_factory_identity_created
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'removed',
    analytics.hex(owner), NULL, analytics.hex(address), NULL
FROM event.identity_factory_identity_removed
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'registered',
    analytics.hex(address_), analytics.hex(identity), analytics.hex(address), analytics.hex(trusted_issuer)
FROM event.identity_registry_identity_added
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'registered',
    analytics.hex(address_), analytics.hex(identity), analytics.hex(address), NULL
FROM event.identity_registry_identity_added_5e698032
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'unregistered',
    analytics.hex(address_), NULL, analytics.hex(address), analytics.hex(trusted_issuer)
FROM event.identity_registry_identity_removed
UNION ALL
SELECT chain_id, block_number, log_index, block_time, analytics.hex(tx_hash), 'unregistered',
    analytics.hex(address_), NULL, analytics.hex(address), NULL
FROM event.identity_registry_identity_removed_59d6590e;
COMMENT ON VIEW analytics.identity_history IS 'What happened to identities, one row for each event.';
COMMENT ON COLUMN analytics.identity_history.action IS 'created or removed (by a factory), registered or unregistered (in the registry of a diamond).';
COMMENT ON COLUMN analytics.identity_history.wallet IS 'The account.';
COMMENT ON COLUMN analytics.identity_history.identity IS 'The identity contract; NULL for removals, whose events name the wallet twice.';
COMMENT ON COLUMN analytics.identity_history.announcer IS 'The factory or diamond.';
COMMENT ON COLUMN analytics.identity_history.by_issuer IS 'The trusted issuer that did it; NULL where the event does not say.';

CREATE OR REPLACE VIEW analytics.claim_history AS
SELECT chain_id, block_number, log_index, 0::bigint AS "position", block_time, analytics.hex(tx_hash) AS tx_hash,
    'registry'::text AS source, 'added'::text AS action, analytics.hex(address) AS contract, analytics.hex(identity) AS identity,
    claim_topic, NULL::text AS claim_id, analytics.hex(trusted_issuer) AS issuer, analytics.hex(claim) AS claim, NULL::text AS uri,
    identity AS identity_bytes
FROM event.identity_registry_claim_added
UNION ALL
SELECT chain_id, block_number, log_index, 0, block_time, analytics.hex(tx_hash), 'registry', 'added',
    analytics.hex(address), analytics.hex(identity), claim_topic, NULL, NULL, analytics.hex(claim), NULL, identity
FROM event.identity_registry_claim_added_a1a7a6cf
UNION ALL
SELECT chain_id, block_number, log_index, 0, block_time, analytics.hex(tx_hash), 'registry', 'removed',
    analytics.hex(address), analytics.hex(identity), claim_topic, NULL, analytics.hex(trusted_issuer), NULL, NULL, identity
FROM event.identity_registry_claim_removed
UNION ALL
SELECT chain_id, block_number, log_index, 0, block_time, analytics.hex(tx_hash), 'registry', 'removed',
    analytics.hex(address), analytics.hex(identity), claim_topic, NULL, NULL, NULL, NULL, identity
FROM event.identity_registry_claim_removed_45749df3
UNION ALL
SELECT gone.chain_id, gone.block_number, gone.log_index, part.place - 1, gone.block_time, analytics.hex(gone.tx_hash),
    'registry', 'removed', analytics.hex(gone.address), analytics.hex(gone.identity), part.topic, NULL,
    analytics.hex(gone.trusted_issuer), NULL, NULL, gone.identity
FROM event.identity_registry_claims_removed AS gone
CROSS JOIN LATERAL unnest(gone.claim_topics) WITH ORDINALITY AS part (topic, place)
UNION ALL
SELECT chain_id, block_number, log_index, 0, block_time, analytics.hex(tx_hash), 'erc735', 'added',
    analytics.hex(address), analytics.hex(address), topic, analytics.hex(claim_id), analytics.hex(issuer), analytics.hex(data), uri, address
FROM event.erc735_claim_added
UNION ALL
SELECT chain_id, block_number, log_index, 0, block_time, analytics.hex(tx_hash), 'erc735', 'added',
    analytics.hex(address), analytics.hex(address), claim_type, analytics.hex(claim_id), analytics.hex(issuer),
    analytics.hex(claim), uri, address
FROM event.identity_claim_added
UNION ALL
SELECT chain_id, block_number, log_index, 0, block_time, analytics.hex(tx_hash), 'erc735', 'changed',
    analytics.hex(address), analytics.hex(address), topic, analytics.hex(claim_id), analytics.hex(issuer), analytics.hex(data), uri, address
FROM event.erc735_claim_changed
UNION ALL
SELECT chain_id, block_number, log_index, 0, block_time, analytics.hex(tx_hash), 'erc735', 'removed',
    analytics.hex(address), analytics.hex(address), NULL, analytics.hex(claim_id), NULL, NULL, NULL, address
FROM event.erc735_claim_removed;
COMMENT ON VIEW analytics.claim_history IS 'What happened to claims, one row for each event, and for each topic of a list. ClaimsSet is left out: each claim it sets has an event of its own.';
COMMENT ON COLUMN analytics.claim_history."position" IS 'Place in a list of topics, from 0; 0 for all else.';
COMMENT ON COLUMN analytics.claim_history.source IS 'registry or erc735.';
COMMENT ON COLUMN analytics.claim_history.action IS 'added, changed or removed.';
COMMENT ON COLUMN analytics.claim_history.contract IS 'The diamond whose registry has the claim, or the contract that holds it.';
COMMENT ON COLUMN analytics.claim_history.claim_topic IS 'The topic; NULL when an ERC-735 claim was removed, whose event no longer knows it.';
COMMENT ON COLUMN analytics.claim_history.claim_id IS 'Id of an ERC-735 claim.';
COMMENT ON COLUMN analytics.claim_history.issuer IS 'The issuer; NULL where the event does not say.';
COMMENT ON COLUMN analytics.claim_history.claim IS 'The claim or its data, as hex.';
COMMENT ON COLUMN analytics.claim_history.uri IS 'Where an ERC-735 claim can be looked up.';
COMMENT ON COLUMN analytics.claim_history.identity_bytes IS 'The identity contract as bytes, for filters that use an index.';

CREATE OR REPLACE VIEW analytics.trusted_issuer AS
SELECT trusted.chain_id, analytics.hex(trusted.diamond) AS diamond, analytics.hex(trusted.issuer) AS issuer, trusted.active,
    trusted.since, trusted.removed_block, held.claim_topics, trusted.inconsistent, trusted.inconsistency
FROM state.trusted_issuer AS trusted
LEFT JOIN LATERAL (
    SELECT array_agg(topic.claim_topic ORDER BY topic.claim_topic) AS claim_topics FROM state.trusted_issuer_topic AS topic
    WHERE topic.chain_id = trusted.chain_id AND topic.diamond = trusted.diamond AND topic.issuer = trusted.issuer AND topic.active
) AS held ON true;
COMMENT ON VIEW analytics.trusted_issuer IS 'Issuers that diamonds trust, with the topics they may speak on.';
COMMENT ON COLUMN analytics.trusted_issuer.issuer IS 'The issuer.';
COMMENT ON COLUMN analytics.trusted_issuer.active IS 'Whether it is trusted.';
COMMENT ON COLUMN analytics.trusted_issuer.since IS 'Block from which on it has been trusted.';
COMMENT ON COLUMN analytics.trusted_issuer.removed_block IS 'Block that removed it; NULL while it is trusted.';
COMMENT ON COLUMN analytics.trusted_issuer.claim_topics IS 'Its topics; NULL when there are none.';
