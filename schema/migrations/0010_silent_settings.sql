-- More of what only calls can tell: settings that are changed without an event, or told only before the first indexed block.

CREATE TABLE state.silent_diamond (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    delegated_minter bytea,
    fee_receivers bytea[],
    fee_shares numeric[],
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond)
);
COMMENT ON TABLE state.silent_diamond IS 'What diamonds answer about themselves that no event tells, or only one before the first indexed block.';
COMMENT ON COLUMN state.silent_diamond.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_diamond.diamond IS 'The diamond.';
COMMENT ON COLUMN state.silent_diamond.delegated_minter IS 'Answer of delegatedMinter(); NULL when there is none, or nobody is.';
COMMENT ON COLUMN state.silent_diamond.fee_receivers IS 'Receivers of getMarketplaceFeeReceivers(), in the order of the answer; NULL when there is none.';
COMMENT ON COLUMN state.silent_diamond.fee_shares IS 'Their shares, in millionths of a price, in the same order.';
COMMENT ON COLUMN state.silent_diamond.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_diamond.updated_block IS 'Final block at which a read first found it as it is.';


CREATE TABLE state.silent_collateral_token (
    chain_id bigint NOT NULL,
    token bytea NOT NULL,
    restrictions_enabled boolean NOT NULL,
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, token)
);
COMMENT ON TABLE state.silent_collateral_token IS 'Whether collateral tokens restrict who may hold them: the switch emits no event.';
COMMENT ON COLUMN state.silent_collateral_token.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_collateral_token.token IS 'The collateral token.';
COMMENT ON COLUMN state.silent_collateral_token.restrictions_enabled IS 'Answer of restrictionsEnabled().';
COMMENT ON COLUMN state.silent_collateral_token.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_collateral_token.updated_block IS 'Final block at which a read first found it as it is.';


CREATE TABLE state.silent_factory (
    chain_id bigint NOT NULL,
    factory bytea NOT NULL,
    symbols text[] NOT NULL,
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, factory)
);
COMMENT ON TABLE state.silent_factory IS 'Symbols that diamond factories know, as symbols() answers.';
COMMENT ON COLUMN state.silent_factory.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_factory.factory IS 'The factory: one that announced a diamond.';
COMMENT ON COLUMN state.silent_factory.symbols IS 'The symbols, ascending, each once.';
COMMENT ON COLUMN state.silent_factory.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_factory.updated_block IS 'Final block at which a read first found it as it is.';


CREATE TABLE state.silent_facet_set (
    chain_id bigint NOT NULL,
    factory bytea NOT NULL,
    symbol text NOT NULL,
    known boolean,
    facets bytea[],
    selectors integer[],
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, factory, symbol)
);
COMMENT ON TABLE state.silent_facet_set IS 'Facets that a factory puts into the diamonds of a symbol: changing them emits no event.';
COMMENT ON COLUMN state.silent_facet_set.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_facet_set.factory IS 'The factory.';
COMMENT ON COLUMN state.silent_facet_set.symbol IS 'The symbol, one of silent_factory.symbols.';
COMMENT ON COLUMN state.silent_facet_set.known IS 'Answer of exists(string): whether the factory has a diamond of that symbol; NULL when there is none.';
COMMENT ON COLUMN state.silent_facet_set.facets IS 'Facets of getFacets(string), in the order of the answer; NULL when there is none.';
COMMENT ON COLUMN state.silent_facet_set.selectors IS 'How many functions each of them brings, in the same order.';
COMMENT ON COLUMN state.silent_facet_set.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_facet_set.updated_block IS 'Final block at which a read first found it as it is.';


CREATE TABLE state.silent_multi_sale (
    chain_id bigint NOT NULL,
    diamond bytea NOT NULL,
    sale_id numeric NOT NULL,
    open_state boolean NOT NULL,
    price numeric NOT NULL,
    price_modifier integer NOT NULL,
    price_modifier_factor numeric NOT NULL,
    max_price numeric NOT NULL,
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, diamond, sale_id)
);
COMMENT ON TABLE state.silent_multi_sale IS 'Multi-token sales as getTokenSaleSettings(uint256) answers: purchases move a variable price without an event.';
COMMENT ON COLUMN state.silent_multi_sale.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_multi_sale.diamond IS 'The diamond.';
COMMENT ON COLUMN state.silent_multi_sale.sale_id IS 'The sale.';
COMMENT ON COLUMN state.silent_multi_sale.open_state IS 'Whether it is open.';
COMMENT ON COLUMN state.silent_multi_sale.price IS 'Price of one token now, in the smallest unit of the payment token.';
COMMENT ON COLUMN state.silent_multi_sale.price_modifier IS 'Number of what a purchase does to the price.';
COMMENT ON COLUMN state.silent_multi_sale.price_modifier_factor IS 'By how much.';
COMMENT ON COLUMN state.silent_multi_sale.max_price IS 'Highest price.';
COMMENT ON COLUMN state.silent_multi_sale.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_multi_sale.updated_block IS 'Final block at which a read first found it as it is.';


CREATE TABLE state.silent_treasury (
    chain_id bigint NOT NULL,
    contract bytea NOT NULL,
    payment_token bytea,
    read_block bigint NOT NULL,
    updated_block bigint NOT NULL,
    PRIMARY KEY (chain_id, contract)
);
COMMENT ON TABLE state.silent_treasury IS 'In which token treasuries are paid: setting it emits no event.';
COMMENT ON COLUMN state.silent_treasury.chain_id IS 'EIP-155 chain id.';
COMMENT ON COLUMN state.silent_treasury.contract IS 'The treasury.';
COMMENT ON COLUMN state.silent_treasury.payment_token IS 'Answer of getPaymentToken(); NULL for the zero address.';
COMMENT ON COLUMN state.silent_treasury.read_block IS 'Final block at which it was last read.';
COMMENT ON COLUMN state.silent_treasury.updated_block IS 'Final block at which a read first found it as it is.';
