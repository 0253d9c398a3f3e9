-- Identities and who vouches for them: wallets in registries, claims, keys, attributes, executions, topics and issuers.
--
-- What ended stays: rows of identities, claims, keys, topics and issuers keep what they said and get removed_block. Where an
-- event contradicts what is known, the row says what is certain and is marked inconsistent until an addition settles it.

CREATE FUNCTION sync.short_key(key text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT CASE WHEN octet_length(key) <= 1000 THEN key
        ELSE left(key, 100) || '…' || encode(sha256(convert_to(key, 'UTF8')), 'hex') END
$$;
COMMENT ON FUNCTION sync.short_key(text) IS
    'A text that fits into an index: longer than 1000 bytes, its first 100 characters, an ellipsis and its SHA-256.';


CREATE TABLE state.identity_contract (
    chain_id bigint NOT NULL,
    identity bytea NOT NULL,
    factory bytea NOT NULL,
    owner bytea,
    created_block bigint NOT NULL,
    created_log_index integer NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, identity)
);
COMMENT ON TABLE state.identity_contract IS 'Identity contracts as factories announced them; the first announcement of a contract holds.';
COMMENT ON COLUMN state.identity_contract.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.identity_contract.identity IS 'The identity contract.';
COMMENT ON COLUMN state.identity_contract.factory IS 'The factory that announced it.';
COMMENT ON COLUMN state.identity_contract.owner IS 'The account it was created for; NULL when the event named none.';
COMMENT ON COLUMN state.identity_contract.created_block IS 'Block of the IdentityCreated.';
COMMENT ON COLUMN state.identity_contract.created_log_index IS 'Log index of the IdentityCreated.';
COMMENT ON COLUMN state.identity_contract.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.identity_contract');


CREATE TABLE state.identity (
    chain_id bigint NOT NULL,
    wallet bytea NOT NULL,
    announcer bytea NOT NULL,
    identity bytea,
    owner bytea,
    factory_created_block bigint,
    registered boolean NOT NULL,
    registered_by bytea,
    registered_block bigint,
    removed_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, wallet, announcer)
) WITH (fillfactor = 85);
CREATE INDEX identity_identity ON state.identity (chain_id, identity);
COMMENT ON TABLE state.identity IS 'Which identity contract a wallet has, by each factory or diamond that said so.';
COMMENT ON COLUMN state.identity.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.identity.wallet IS 'The account.';
COMMENT ON COLUMN state.identity.announcer IS 'The factory that created the identity, or the diamond whose registry holds the wallet.';
COMMENT ON COLUMN state.identity.identity IS 'The identity contract as last announced; stays after the removal, and is NULL when only a removal was seen.';
COMMENT ON COLUMN state.identity.owner IS 'The account that a factory created the identity contract for; NULL when its creation was not seen.';
COMMENT ON COLUMN state.identity.factory_created_block IS 'Block of the IdentityCreated of the identity contract; NULL when it was not seen.';
COMMENT ON COLUMN state.identity.registered IS 'Whether the announcer holds the wallet in its registry (IdentityAdded); factories do not.';
COMMENT ON COLUMN state.identity.registered_by IS 'The trusted issuer that registered it; NULL where older builds do not say.';
COMMENT ON COLUMN state.identity.registered_block IS 'Block of the last IdentityAdded; NULL when there was none.';
COMMENT ON COLUMN state.identity.removed_block IS 'Block in which the announcer removed the wallet; NULL while it is there.';
COMMENT ON COLUMN state.identity.inconsistent IS 'Whether events contradicted each other about this row since it was last added.';
COMMENT ON COLUMN state.identity.inconsistency IS 'What the contradiction is; NULL when there is none.';
COMMENT ON COLUMN state.identity.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.identity');


CREATE TABLE state.registry_claim (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    identity bytea NOT NULL,
    claim_topic numeric NOT NULL,
    issuer bytea,
    claim bytea,
    added_block bigint,
    removed_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, identity, claim_topic)
) WITH (fillfactor = 85);
COMMENT ON TABLE state.registry_claim IS 'Claims in the identity registries of diamonds; they belong to the identity contract and outlive the removal of its wallets.';
COMMENT ON COLUMN state.registry_claim.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.registry_claim.diamond IS 'The diamond.';
COMMENT ON COLUMN state.registry_claim.identity IS 'The identity contract.';
COMMENT ON COLUMN state.registry_claim.claim_topic IS 'The topic; need not be one of the registry.';
COMMENT ON COLUMN state.registry_claim.issuer IS 'The trusted issuer that last added it; NULL where older builds do not say.';
COMMENT ON COLUMN state.registry_claim.claim IS 'The claim as last added; empty when it was added through a list of topics.';
COMMENT ON COLUMN state.registry_claim.added_block IS 'Block of the last ClaimAdded; NULL when only a removal was seen.';
COMMENT ON COLUMN state.registry_claim.removed_block IS 'Block that removed it; NULL while it holds.';
COMMENT ON COLUMN state.registry_claim.inconsistent IS 'Whether events contradicted each other about this row since it was last added.';
COMMENT ON COLUMN state.registry_claim.inconsistency IS 'What the contradiction is; NULL when there is none.';
COMMENT ON COLUMN state.registry_claim.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.registry_claim');


CREATE TABLE state.identity_claim (
    chain_id bigint NOT NULL,
    identity bytea NOT NULL,
    claim_id bytea NOT NULL,
    topic numeric,
    scheme numeric,
    issuer bytea,
    uri text,
    data_hash bytea,
    active boolean NOT NULL,
    added_block bigint,
    removed_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, identity, claim_id)
) WITH (fillfactor = 85);
COMMENT ON TABLE state.identity_claim IS 'ERC-735 claims by the contract that holds them: identities, and diamonds with the token-claims facet.';
COMMENT ON COLUMN state.identity_claim.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.identity_claim.identity IS 'The contract that holds the claim.';
COMMENT ON COLUMN state.identity_claim.claim_id IS 'Id of the claim; a change of topic or issuer keeps it.';
COMMENT ON COLUMN state.identity_claim.topic IS 'Topic as last added or changed; NULL when only a removal was seen.';
COMMENT ON COLUMN state.identity_claim.scheme IS 'Signature scheme.';
COMMENT ON COLUMN state.identity_claim.issuer IS 'The issuer.';
COMMENT ON COLUMN state.identity_claim.uri IS 'Where the claim can be looked up.';
COMMENT ON COLUMN state.identity_claim.data_hash IS 'Keccak-256 of the claim''s data.';
COMMENT ON COLUMN state.identity_claim.active IS 'Whether it was not removed since.';
COMMENT ON COLUMN state.identity_claim.added_block IS 'Block of the last ClaimAdded; NULL when none was seen.';
COMMENT ON COLUMN state.identity_claim.removed_block IS 'Block that removed it; NULL while it is active.';
COMMENT ON COLUMN state.identity_claim.inconsistent IS 'Whether events contradicted each other about this row since it was last added.';
COMMENT ON COLUMN state.identity_claim.inconsistency IS 'What the contradiction is; NULL when there is none.';
COMMENT ON COLUMN state.identity_claim.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.identity_claim');


CREATE TABLE state.identity_key (
    chain_id bigint NOT NULL,
    identity bytea NOT NULL,
    key bytea NOT NULL,
    purpose numeric NOT NULL,
    key_type numeric,
    active boolean NOT NULL,
    added_block bigint,
    removed_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, identity, key, purpose)
) WITH (fillfactor = 85);
COMMENT ON TABLE state.identity_key IS 'ERC-734 keys of identities, one row for each purpose; removing a key ends all of its purposes.';
COMMENT ON COLUMN state.identity_key.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.identity_key.identity IS 'The identity contract.';
COMMENT ON COLUMN state.identity_key.key IS 'The key, 32 bytes.';
COMMENT ON COLUMN state.identity_key.purpose IS 'What it may do.';
COMMENT ON COLUMN state.identity_key.key_type IS 'Kind of key as last added.';
COMMENT ON COLUMN state.identity_key.active IS 'Whether it was not removed since.';
COMMENT ON COLUMN state.identity_key.added_block IS 'Block of the last KeyAdded; NULL when only a removal was seen.';
COMMENT ON COLUMN state.identity_key.removed_block IS 'Block that removed the key; NULL while it is active.';
COMMENT ON COLUMN state.identity_key.inconsistent IS 'Whether events contradicted each other about this row since it was last added.';
COMMENT ON COLUMN state.identity_key.inconsistency IS 'What the contradiction is; NULL when there is none.';
COMMENT ON COLUMN state.identity_key.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.identity_key');


CREATE TABLE state.identity_attribute (
    chain_id bigint NOT NULL,
    identity bytea NOT NULL,
    attribute_key text NOT NULL,
    type integer NOT NULL,
    value text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, identity, attribute_key)
) WITH (fillfactor = 85);
COMMENT ON TABLE state.identity_attribute IS 'Attributes of identity contracts as last set.';
COMMENT ON COLUMN state.identity_attribute.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.identity_attribute.identity IS 'The identity contract.';
COMMENT ON COLUMN state.identity_attribute.attribute_key IS 'The key; a key of more than 1000 bytes is its first 100 characters, an ellipsis and its SHA-256.';
COMMENT ON COLUMN state.identity_attribute.type IS 'Number of the attribute type.';
COMMENT ON COLUMN state.identity_attribute.value IS 'The value.';
COMMENT ON COLUMN state.identity_attribute.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.identity_attribute');


CREATE TABLE state.identity_execution (
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    log_index integer NOT NULL,
    identity bytea NOT NULL,
    execution_id numeric NOT NULL,
    to_ bytea,
    value numeric NOT NULL,
    success boolean NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
COMMENT ON TABLE state.identity_execution IS 'What identity contracts executed, and failed to.';
COMMENT ON COLUMN state.identity_execution.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.identity_execution.block_number IS 'Block of the event.';
COMMENT ON COLUMN state.identity_execution.log_index IS 'Log index of the event.';
COMMENT ON COLUMN state.identity_execution.identity IS 'The identity contract.';
COMMENT ON COLUMN state.identity_execution.execution_id IS 'Number of the execution at that contract.';
COMMENT ON COLUMN state.identity_execution.to_ IS 'The account called; NULL for the zero address.';
COMMENT ON COLUMN state.identity_execution.value IS 'Native coin sent, in wei.';
COMMENT ON COLUMN state.identity_execution.success IS 'Whether it was Executed rather than ExecutionFailed.';
COMMENT ON COLUMN state.identity_execution.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.identity_execution');


CREATE TABLE state.claim_topic (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    claim_topic numeric NOT NULL,
    active boolean NOT NULL,
    since bigint,
    removed_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, claim_topic)
);
COMMENT ON TABLE state.claim_topic IS 'Claim topics that diamonds have registered; the deployed build removes them without an event.';
COMMENT ON COLUMN state.claim_topic.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.claim_topic.diamond IS 'The diamond.';
COMMENT ON COLUMN state.claim_topic.claim_topic IS 'The topic.';
COMMENT ON COLUMN state.claim_topic.active IS 'Whether it was not removed since.';
COMMENT ON COLUMN state.claim_topic.since IS 'Block from which on it has been there without a break; NULL when only a removal was seen.';
COMMENT ON COLUMN state.claim_topic.removed_block IS 'Block that removed it; NULL while it is active.';
COMMENT ON COLUMN state.claim_topic.inconsistent IS 'Whether events contradicted each other about this row since it was last added.';
COMMENT ON COLUMN state.claim_topic.inconsistency IS 'What the contradiction is; NULL when there is none.';
COMMENT ON COLUMN state.claim_topic.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.claim_topic');


CREATE TABLE state.trusted_issuer (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    issuer bytea NOT NULL,
    active boolean NOT NULL,
    since bigint,
    removed_block bigint,
    inconsistent boolean NOT NULL DEFAULT false,
    inconsistency text,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, issuer)
);
COMMENT ON TABLE state.trusted_issuer IS 'Issuers that diamonds trust.';
COMMENT ON COLUMN state.trusted_issuer.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.trusted_issuer.diamond IS 'The diamond.';
COMMENT ON COLUMN state.trusted_issuer.issuer IS 'The issuer.';
COMMENT ON COLUMN state.trusted_issuer.active IS 'Whether it is trusted.';
COMMENT ON COLUMN state.trusted_issuer.since IS 'Block from which on it has been trusted without a break, or is known to have been; NULL when only a removal was seen.';
COMMENT ON COLUMN state.trusted_issuer.removed_block IS 'Block that removed it; NULL while it is trusted.';
COMMENT ON COLUMN state.trusted_issuer.inconsistent IS 'Whether events contradicted each other about this row since it was last added.';
COMMENT ON COLUMN state.trusted_issuer.inconsistency IS 'What the contradiction is; NULL when there is none.';
COMMENT ON COLUMN state.trusted_issuer.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.trusted_issuer');


CREATE TABLE state.trusted_issuer_topic (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    issuer bytea NOT NULL,
    claim_topic numeric NOT NULL,
    active boolean NOT NULL,
    since bigint NOT NULL,
    removed_block bigint,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, issuer, claim_topic)
);
COMMENT ON TABLE state.trusted_issuer_topic IS 'Topics that trusted issuers may speak on, as last set for the issuer as a whole.';
COMMENT ON COLUMN state.trusted_issuer_topic.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.trusted_issuer_topic.diamond IS 'The diamond.';
COMMENT ON COLUMN state.trusted_issuer_topic.issuer IS 'The issuer.';
COMMENT ON COLUMN state.trusted_issuer_topic.claim_topic IS 'The topic.';
COMMENT ON COLUMN state.trusted_issuer_topic.active IS 'Whether the last set of the issuer has it.';
COMMENT ON COLUMN state.trusted_issuer_topic.since IS 'Block from which on it has been in every set of the issuer.';
COMMENT ON COLUMN state.trusted_issuer_topic.removed_block IS 'Block of the set that left it out, or of the removal of the issuer; NULL while it is active.';
COMMENT ON COLUMN state.trusted_issuer_topic.updated_block IS 'Newest block whose events changed or confirmed the row.';
SELECT sync.attach_journal('state.trusted_issuer_topic');
