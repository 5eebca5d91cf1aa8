import PostgresAdapter

/// What is to be said of PostgreSQL.
enum PostgresJudge {
  typealias Host = (place: String, examined: Examined<PostgresFacts>)

  /// - Parameter now: In seconds since 1970.
  static func judge(_ hosts: [Host], now: Int64) -> [Finding] {
    let writable = hosts.filter { $0.examined.facts.map(takesWrites) ?? false }
    return hosts.flatMap { host in
      switch host.examined {
      case .failed(let reason): return failed(host.place, reason)
      case .facts(let facts): return judge(host.place, facts, now: now)
      }
    } + together(hosts, writable: writable.map(\.place))
  }

  private static func takesWrites(_ facts: PostgresFacts) -> Bool { !facts.isStandby && !facts.isReadOnly }

  private static func failed(_ place: String, _ reason: String) -> [Finding] {
    var list = FindingList(.postgres, at: place)
    list.problem("host", reason, mend: ConnectionAdvice.postgres(reason, place: place))
    return list.all
  }

  private static func judge(_ place: String, _ facts: PostgresFacts, now: Int64) -> [Finding] {
    var list = FindingList(.postgres, at: place)
    list.ok("host", facts.server + (facts.isStandby ? ", a standby" : ""))
    if facts.version < 140_000 {
      list.problem(
        "version", "version \(facts.version / 10_000) is older than 14, the oldest that the worker is made for", mend: "upgrade the server to 14 or newer")
    }
    if let end = facts.certificateEnd {
      CertificateJudge.judge(end, now: now, mend: "renew what ssl_cert_file of the server names, then `SELECT pg_reload_conf()`", into: &list)
    }
    ClockJudge.judge(facts.clock, into: &list)
    PostgresServerJudge.judge(facts, into: &list)
    if !facts.isStandby {
      PostgresDurabilityJudge.judge(facts, into: &list)
      if let schema = facts.schema { SchemaJudge.judge(schema, user: facts.user, into: &list) }
    }
    return list.all
  }

  /// What no host shows by itself.
  private static func together(_ hosts: [Host], writable: [String]) -> [Finding] {
    var list = FindingList(.postgres)
    let reached = hosts.compactMap(\.examined.facts)
    if writable.isEmpty, !reached.isEmpty {
      let why = reached.allSatisfy(\.isStandby) ? "all that answer are standbys" : "default_transaction_read_only is on"
      let mend =
        reached.allSatisfy(\.isStandby)
        ? "name the primary in ORDERS_DATABASE_URL, or promote a standby: `SELECT pg_promote()`"
        : "`ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf()`, or RESET it for the user or the database"
      list.problem("primary", "no host takes writes: \(why)", mend: mend)
    } else if writable.count > 1 {
      list.problem(
        "primary", "\(writable.joined(separator: " and ")) all take writes, and so are not one cluster: workers would write to either",
        mend: "leave only hosts of one primary and its standbys in ORDERS_DATABASE_URL; end the one that should have become a standby")
    }
    return list.all
  }
}
