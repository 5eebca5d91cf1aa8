extension Migration {
  /// Dead letters. The tenant of what nobody could be told to have sent is `default`.
  static let deadLetters = Migration(
    version: 3, name: "dead letters",
    sql: """
      CREATE TABLE dead_letters (
        tenant_id       text        NOT NULL,
        id              uuid        NOT NULL,
        message_id      text,
        type            text,
        order_id        uuid,
        reason          text        NOT NULL,
        error           text        NOT NULL,
        -- The error without what is each message's own, for groups.
        error_pattern   text        NOT NULL,
        attempts        integer     NOT NULL,
        state           text        NOT NULL CHECK (state IN ('parked', 'replaying', 'resolved', 'discarded')),
        -- Whole, or the first 4 KiB of one over 256 KiB; size and hash are those of the whole.
        body            bytea       NOT NULL,
        body_size       bigint      NOT NULL,
        body_sha256     bytea       NOT NULL,
        headers         jsonb       NOT NULL,
        properties      jsonb       NOT NULL,
        principal       jsonb,
        -- What a claim in processed_commands says where the message, or its last replay, was done.
        command         text,
        subject         text,
        fingerprint     bytea,
        replay_subject  text,
        replay_fingerprint bytea,
        -- A replay that was claimed and not published within its time is free to be claimed again.
        claimed_at      timestamptz,
        published_at    timestamptz,
        history         jsonb       NOT NULL,
        first_failed_at timestamptz NOT NULL,
        failed_at       timestamptz NOT NULL,
        settled_at      timestamptz,
        PRIMARY KEY (tenant_id, id)
      );
      CREATE INDEX dead_letters_by_time ON dead_letters (tenant_id, failed_at, id);
      CREATE INDEX dead_letters_open ON dead_letters (tenant_id, failed_at, id) WHERE state IN ('parked', 'replaying');
      CREATE INDEX dead_letters_by_order ON dead_letters (tenant_id, order_id) WHERE order_id IS NOT NULL;
      CREATE INDEX dead_letters_unsettled ON dead_letters (tenant_id, id) WHERE state IN ('parked', 'replaying');
      CREATE INDEX dead_letters_replaying ON dead_letters (tenant_id, id) WHERE state = 'replaying';
      CREATE INDEX dead_letters_settled ON dead_letters (settled_at) WHERE state IN ('resolved', 'discarded');
      CREATE INDEX dead_letters_unusable ON dead_letters (failed_at)
        WHERE state = 'parked' AND (reason = 'malformed' OR reason = 'unauthenticated' AND principal IS NULL);
      """)
}
