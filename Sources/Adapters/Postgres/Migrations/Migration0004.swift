extension Migration {
  /// Who is trying which message that may have killed workers.
  static let trials = Migration(
    version: 4, name: "trials",
    sql: """
      -- A row goes when the worker survives; one that stays tells of a death. Nothing of the message is read before, so it has no tenant.
      CREATE TABLE delivery_trials (
        message  bytea       NOT NULL,
        life     uuid        NOT NULL,
        began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (message, life)
      );
      """)
}
