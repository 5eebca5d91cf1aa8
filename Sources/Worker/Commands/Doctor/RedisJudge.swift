import RedisAdapter

/// What is to be said of Redis, which nothing waits for: it makes answers quick, or does not.
enum RedisJudge {
  /// The cache gives up after 50 ms.
  private static let slow = Duration.milliseconds(10)
  private static let oldest = 5

  static func judge(_ examined: Examined<RedisFacts>, place: String) -> [Finding] {
    var list = FindingList(.redis, at: place)
    switch examined {
    case .failed(let reason): list.problem("host", reason, mend: ConnectionAdvice.redis(reason, place: place))
    case .facts(let facts):
      list.ok("host", facts.server)
      judgeVersion(facts, &list)
      judgeMemory(facts, &list)
      judgeWrites(facts, &list)
      judgeLatency(facts, &list)
      if let clock = facts.clock { ClockJudge.judge(clock, into: &list) }
    }
    return list.all
  }

  private static func judgeVersion(_ facts: RedisFacts, _ list: inout FindingList) {
    guard let major = facts.version.split(separator: ".").first.flatMap({ Int($0) }), major < oldest else { return }
    list.warning("version", "version \(facts.version) is old and not tested with the worker", mend: "upgrade to 7 or newer")
  }

  private static func judgeMemory(_ facts: RedisFacts, _ list: inout FindingList) {
    guard let limit = facts.maxmemory, let policy = facts.evictionPolicy else {
      return list.notChecked("memory", "this user may not ask for INFO, which tells maxmemory-policy", mend: "`ACL SETUSER … +info`")
    }
    let mend = "`CONFIG SET maxmemory 256mb`, `CONFIG SET maxmemory-policy allkeys-lru`, and the same in redis.conf"
    switch (limit, policy) {
    case (0, "noeviction"):
      list.warning("memory", "there is no maxmemory, and maxmemory-policy is noeviction: the cache may take all the machine's memory", mend: mend)
    case (0, _): list.warning("memory", "there is no maxmemory, so that maxmemory-policy \(policy) never counts", mend: mend)
    case (_, "noeviction"):
      list.problem("memory", "maxmemory-policy is noeviction with a maxmemory of \(limit) bytes: once it is full nothing new is cached", mend: mend)
    default: list.ok("memory", "at most \(limit) bytes, then \(policy)")
    }
  }

  private static func judgeWrites(_ facts: RedisFacts, _ list: inout FindingList) {
    if facts.isReplica {
      list.problem("writes", "it is a replica, which takes no writes", mend: "name the primary in ORDERS_REDIS_URL, or `REPLICAOF NO ONE`")
    } else if facts.refused.isEmpty {
      list.ok("writes", "what the cache does works")
    } else {
      let mend =
        facts.refused.contains { $0.contains("OOM") }
        ? "raise maxmemory, or let it evict: `CONFIG SET maxmemory-policy allkeys-lru`"
        : "`ACL SETUSER` the user `~PREFIX:* +eval +hget +hset +pexpire +hmget +unlink +select +ping`, PREFIX being ORDERS_REDIS_PREFIX"
      list.problem("writes", "it refuses what the cache does: \(facts.refused.joined(separator: "; "))", mend: mend)
    }
  }

  private static func judgeLatency(_ facts: RedisFacts, _ list: inout FindingList) {
    let text = ClockJudge.milliseconds(facts.latency)
    if facts.latency < slow { return list.ok("latency", "answers within \(text)") }
    list.warning(
      "latency", "answers take \(text), and the cache gives up after 50 ms", mend: "bring it nearer to the workers; see `redis-cli --latency` and SLOWLOG")
  }
}
