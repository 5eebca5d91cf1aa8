extension Migration {
  /// Payments that were given up are watched for what a call that was held on its way may still do.
  static let watchedPayments = Migration(
    version: 5, name: "watched payments",
    sql: """
      -- Whether it was ever unknown what a call did. A row that is 'unavailable' and unknown is looked up again when its next attempt is due.
      ALTER TABLE payments ADD COLUMN was_unknown boolean NOT NULL DEFAULT false;
      UPDATE payments SET was_unknown = true WHERE state = 'open' AND attempts > 0;
      CREATE INDEX payments_watched ON payments (next_attempt_at) WHERE state = 'unavailable' AND is_unknown AND operation = 'authorize';
      """)
}
