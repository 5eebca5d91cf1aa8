extension Migration {
  /// Payments, the replies that wait for them, and what the looks at orders by customer and by age need.
  static let payments = Migration(
    version: 2, name: "payments",
    sql: """
      -- One call that the provider is to be asked for, with the exact request; kept for ever, but for the request once it is settled.
      CREATE TABLE payments (
        tenant_id        text        NOT NULL,
        order_id         uuid        NOT NULL,
        number           integer     NOT NULL,
        operation        text        NOT NULL CHECK (operation IN ('authorize', 'capture', 'void')),
        purpose          text        NOT NULL,
        amount_minor     bigint      NOT NULL,
        currency         text        NOT NULL,
        payment_method   text,
        -- What is captured or voided, or what was authorised.
        authorization_id text,
        key              text        NOT NULL,
        target           text        NOT NULL,
        request          bytea,
        state            text        NOT NULL CHECK (state IN ('open', 'succeeded', 'declined', 'conflict', 'unavailable')),
        decline_code     text,
        -- The command behind it, and who is to hear of the result.
        message_id       text        NOT NULL,
        command_type     text        NOT NULL,
        command          bytea,
        version_before   bigint      NOT NULL,
        actor            text        NOT NULL,
        reason           text,
        correlation_id   text        NOT NULL,
        traceparent      text,
        reply_to         text,
        opened_at        timestamptz NOT NULL,
        first_called_at  timestamptz,
        -- Whether some call of its key may have had an effect that nobody knows of.
        is_unknown       boolean     NOT NULL DEFAULT false,
        attempts         integer     NOT NULL DEFAULT 0,
        next_attempt_at  timestamptz NOT NULL,
        lease_token      uuid,
        lease_until      timestamptz,
        settled_at       timestamptz,
        PRIMARY KEY (tenant_id, order_id, number)
      ) WITH (fillfactor = 70);
      CREATE UNIQUE INDEX payments_one_open ON payments (tenant_id, order_id) WHERE state = 'open';
      CREATE INDEX payments_due ON payments (next_attempt_at) WHERE state = 'open';
      CREATE INDEX payments_untrimmed ON payments (settled_at) WHERE state <> 'open' AND request IS NOT NULL;

      -- Since when an order has its status, and what is authorised for it (null: nothing ever was).
      ALTER TABLE orders ADD COLUMN status_since timestamptz NOT NULL DEFAULT now(), ADD COLUMN payments text;
      CREATE INDEX orders_open ON orders (status, status_since)
        WHERE status IN ('pending', 'confirmed', 'on_hold', 'processing', 'shipped');
      -- Not the tenant first: without statistics the planner takes it for as good as the primary key where orders are looked up by id.
      CREATE INDEX orders_by_customer ON orders (customer_id, tenant_id, created_at DESC, order_id DESC);

      -- A reply that is to be sent once: of a command that waited for a payment.
      ALTER TABLE outbox ADD COLUMN reply_to text, ADD COLUMN correlation_id text;
      """)
}
