extension Migration {
  /// Which trace an event or reply belongs to, for the relay of another worker. Older workers leave it null.
  static let outboxTraces = Migration(version: 7, name: "outbox traces", sql: "ALTER TABLE outbox ADD COLUMN traceparent text;")
}
