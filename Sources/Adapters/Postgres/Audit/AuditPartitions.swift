import PostgresClient

/// Month partitions of the audit log, made ahead of their time; what falls outside goes to the default partition.
enum AuditPartitions {
  /// This month and the next two. A month that already has rows in the default partition keeps them there.
  static func create(_ session: PostgresSession, schema: String) throws(PostgresError) {
    try session.execute(
      """
      DO $$
      DECLARE first date; part text; schema_name text := '\(schema.quotedLiteral)';
      BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('order-worker setup'), hashtext(current_database()));
        FOR i IN 0..2 LOOP
          first := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i))::date;
          part := 'audit_log_' || to_char(first, 'YYYY_MM');
          IF to_regclass(format('%I.%I', schema_name, part)) IS NULL THEN
            BEGIN
              EXECUTE format('CREATE TABLE %I.%I PARTITION OF %I.audit_log FOR VALUES FROM (%L) TO (%L)', schema_name, part, schema_name,
                first::timestamp AT TIME ZONE 'UTC', (first + interval '1 month')::timestamp AT TIME ZONE 'UTC');
            EXCEPTION WHEN check_violation THEN NULL;
            END;
          END IF;
        END LOOP;
      END $$
      """)
  }
}

extension String {
  /// For use between single quotes.
  var quotedLiteral: String {
    var quoted = ""
    for character in self { quoted += character == "'" ? "''" : String(character) }
    return quoted
  }
}
