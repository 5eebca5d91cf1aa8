extension Migration {
  /// Orders, stock, claims, audit and outbox.
  ///
  /// No foreign keys between these tables: all rows of an order are written by one transaction of one program, and a check for each
  /// row would cost more than the row. `fillfactor` leaves room for updates that touch no index.
  static let orders = Migration(
    version: 1, name: "orders",
    sql: """
      CREATE TABLE orders (
        tenant_id      text        NOT NULL,
        order_id       uuid        NOT NULL,
        customer_id    text        NOT NULL,
        status         text        NOT NULL,
        held_from      text,
        payment_status text        NOT NULL,
        reservation    text        NOT NULL,
        version        bigint      NOT NULL,
        currency       text        NOT NULL,
        total_minor    bigint      NOT NULL CHECK (total_minor >= 0),
        payment_method text,
        metadata       text        NOT NULL DEFAULT '{}',
        created_at     timestamptz NOT NULL,
        updated_at     timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, order_id)
      ) WITH (fillfactor = 85);

      CREATE TABLE order_items (
        tenant_id        text     NOT NULL,
        order_id         uuid     NOT NULL,
        line_no          smallint NOT NULL,
        product_id       text     NOT NULL,
        quantity         bigint   NOT NULL CHECK (quantity > 0),
        unit_price_minor bigint   NOT NULL CHECK (unit_price_minor >= 0),
        PRIMARY KEY (tenant_id, order_id, line_no)
      );

      CREATE TABLE order_history (
        tenant_id       text        NOT NULL,
        order_id        uuid        NOT NULL,
        version         bigint      NOT NULL,
        status          text        NOT NULL,
        previous_status text,
        payment_status  text        NOT NULL,
        at              timestamptz NOT NULL,
        actor           text        NOT NULL,
        message_id      text        NOT NULL,
        reason          text,
        PRIMARY KEY (tenant_id, order_id, version)
      );

      CREATE TABLE inventory (
        tenant_id  text   NOT NULL,
        product_id text   NOT NULL,
        on_hand    bigint NOT NULL,
        reserved   bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id, product_id),
        CONSTRAINT never_oversold CHECK (0 <= reserved AND reserved <= on_hand)
      ) WITH (fillfactor = 50);

      -- What an order holds of the stock; how much of what is in order_items.
      CREATE TABLE reservations (
        tenant_id  text        NOT NULL,
        order_id   uuid        NOT NULL,
        state      text        NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, order_id)
      ) WITH (fillfactor = 85);

      -- The claim on a command's id, with what it came to. Nothing deletes from this table.
      CREATE TABLE processed_commands (
        tenant_id    text        NOT NULL,
        message_id   text        NOT NULL,
        order_id     uuid,
        outcome      text        CHECK (outcome IN ('accepted', 'rejected')),
        type         text        NOT NULL,
        subject      text        NOT NULL,
        fingerprint  bytea       NOT NULL,
        batch_id     uuid        NOT NULL,
        status       text,
        version      bigint,
        rejection    text,
        processed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, message_id)
      );

      -- Events that are committed and not yet known to be with the broker.
      CREATE TABLE outbox (
        tenant_id       text        NOT NULL,
        order_id        uuid        NOT NULL,
        version         bigint      NOT NULL,
        event_id        uuid        NOT NULL,
        type            text        NOT NULL,
        body            bytea       NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        attempts        integer     NOT NULL DEFAULT 0,
        next_attempt_at timestamptz,
        PRIMARY KEY (tenant_id, order_id, version, event_id)
      ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
      CREATE INDEX outbox_by_age ON outbox (created_at);

      -- One chain of hashes for each connection that commits; each row's hash covers the one before it.
      CREATE TABLE audit_log (
        tenant_id      text        NOT NULL,
        at             timestamptz NOT NULL,
        chain_id       uuid        NOT NULL,
        seq            bigint      NOT NULL,
        prev_hash      bytea       NOT NULL,
        hash           bytea       NOT NULL,
        actor          text        NOT NULL,
        action         text        NOT NULL,
        message_id     text,
        order_id       uuid,
        outcome        text        NOT NULL,
        correlation_id text,
        traceparent    text,
        before         text,
        after          text,
        PRIMARY KEY (tenant_id, chain_id, seq, at)
      ) PARTITION BY RANGE (at);
      CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

      -- Who alone does what must be done by one worker at a time.
      CREATE TABLE leases (
        name       text        PRIMARY KEY,
        holder     text        NOT NULL,
        expires_at timestamptz NOT NULL
      );
      """)
}
