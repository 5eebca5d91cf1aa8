import Application
import Domain
import PostgresClient

/// Settles dead letters, on a connection that others use too.
package struct PostgresDeadLetterKeeping: DeadLetterKeeping, PostgresLeadership {
  static let leaseName = "dead-letters"
  let client: PostgresClient
  let deadline: Duration

  package init(client: PostgresClient, deadline: Duration = .seconds(10)) {
    self.client = client
    self.deadline = deadline
  }

  package func settle(after position: DeadLetterKey?, limit: Int) async throws(StoreError) -> (settled: Int, next: DeadLetterKey?) {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      let replayed = try session.query(ReplayStatements.settleReplaying, [.int64(Int64(limit))])
      let page = try session.query(
        ReplayStatements.settlePage,
        [
          .int64(Int64(limit)), .text(position?.tenant.rawValue ?? ""), .uuid(high: position?.id.high ?? 0, low: position?.id.low ?? 0),
        ])
      let settled = Int(replayed.int64(0, 0) + page.int64(0, 0))
      guard page.int64(0, 1) == Int64(limit), !page.isNull(0, 2), let tenant = TenantID(page.text(0, 2)) else { return (settled, nil) }
      return (settled, DeadLetterKey(tenant: tenant, id: page.uuidValue(0, 3)))
    }
  }

  package func takeBack(patience: Duration) async throws(StoreError) -> Int {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      let now = Timestamp(microseconds: try session.query(BatchStatements.now).timestamp(0, 0))
      let event = DeadLetterEvent(at: now, what: "the replay was interrupted before it was published", actor: "order-worker")
      return try session.query(ReplayStatements.takeBack, [.int64(patience.milliseconds), .text(StoredHistory.encode([event]))]).rowCount
    }
  }

  package func trim(_ retention: DeadLetterRetention, limit: Int) async throws(StoreError) -> Int {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      try session.query(
        ReplayStatements.trim,
        [
          .int64(retention.settled.milliseconds), .int64(retention.unusable.milliseconds), .int64(Int64(retention.mostUnusable)), .int64(Int64(limit)),
        ]
      ).rowCount
    }
  }
}
