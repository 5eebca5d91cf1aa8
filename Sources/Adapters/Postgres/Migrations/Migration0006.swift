extension Migration {
  /// Where each chain of audit rows stands, so that rows that were taken from its end are missed.
  static let auditHeads = Migration(
    version: 6, name: "audit heads",
    sql: """
      -- Rows come nearly in the order of their time, for which a summary of each range of pages will do.
      CREATE INDEX audit_by_time ON audit_log USING brin (at);

      CREATE TABLE audit_heads (
        chain_id     uuid   PRIMARY KEY,
        seq          bigint NOT NULL,
        hash         bytea  NOT NULL,
        -- As far as a row of another chain tells of this one.
        anchored_seq bigint NOT NULL DEFAULT 0
      ) WITH (fillfactor = 50);

      -- The last row of each chain that went with a month whose time was over: what is left follows it.
      CREATE TABLE audit_dropped (
        chain_id uuid   PRIMARY KEY,
        seq      bigint NOT NULL,
        hash     bytea  NOT NULL
      );
      """)
}
