import PostgresAdapter

/// What is to be said of how safe a commit is.
enum PostgresDurabilityJudge {
  static func judge(_ facts: PostgresFacts, into list: inout FindingList) {
    judgeCommit(facts, &list)
    judgeDisk(facts, &list)
    judgeStandby(facts, &list)
  }

  private static func judgeCommit(_ facts: PostgresFacts, _ list: inout FindingList) {
    let isWeak = { (level: String) in level == "off" || level == "local" && !facts.standbyNames.isEmpty }
    if isWeak(facts.commitOfWorker) {
      return list.problem(
        "synchronous_commit",
        "the worker's sessions commit with \(facts.commitOfWorker), by what ORDERS_DATABASE_URL says in options: answered orders can get lost",
        mend: "take synchronous_commit out of the URL's options, or say remote_apply or on there")
    }
    if isWeak(facts.commitOfUser) {
      return list.warning(
        "synchronous_commit",
        "it is \(facts.commitOfUser) for \(facts.user), by \(facts.commitSource): the worker's own sessions set it to \(facts.commitOfWorker), what else is written as this user can get lost",
        mend: reset(facts))
    }
    list.ok("synchronous_commit", facts.commitOfWorker)
  }

  private static func reset(_ facts: PostgresFacts) -> String {
    let (user, database) = ("\"\(facts.user)\"", "\"\(facts.database)\"")
    return switch facts.commitSource {
    case "user": "`ALTER ROLE \(user) RESET synchronous_commit`"
    case "database": "`ALTER DATABASE \(database) RESET synchronous_commit`"
    case "database user": "`ALTER ROLE \(user) IN DATABASE \(database) RESET synchronous_commit`"
    default: "`ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf()`, and see the server's command line"
    }
  }

  private static func judgeDisk(_ facts: PostgresFacts, _ list: inout FindingList) {
    if !facts.fsync {
      list.problem(
        "fsync", "fsync is off: a crash of the machine can lose orders, and the whole database with them",
        mend: "`ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()`, and see the server's command line")
    }
    if !facts.fullPageWrites {
      list.warning(
        "full_page_writes", "full_page_writes is off: a crash can leave half-written pages, unless the file system itself forbids that, as ZFS does",
        mend: "`ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf()`, unless you know that it does")
    }
    if facts.fsync && facts.fullPageWrites { list.ok("fsync", "commits reach the disk") }
  }

  private static func judgeStandby(_ facts: PostgresFacts, _ list: inout FindingList) {
    guard !facts.standbyNames.isEmpty else { return }
    let names = "synchronous_standby_names is \"\(facts.standbyNames)\""
    if facts.synchronousFollowers > 0 { return list.ok("synchronous standby", "\(names), and one follows") }
    if facts.hiddenFollowers > 0 {
      return list.notChecked(
        "synchronous standby", "\(names), \(facts.followers) standbys follow, and this user may not see whether commits wait for one of them",
        mend: "`GRANT pg_read_all_stats TO` the user, or run doctor as one who has it")
    }
    list.problem(
      "synchronous standby", "\(names), and none of them follows\(facts.followers > 0 ? " but \(facts.followers) others" : ""): every commit waits without end",
      mend:
        "start the standby and see its log and its application_name in primary_conninfo; to go on without it: `ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()`"
    )
  }
}
