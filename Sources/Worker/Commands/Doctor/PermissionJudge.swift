import RabbitMQManagementAdapter

/// What is to be said of the rights of the worker's user.
enum PermissionJudge {
  static func judge(_ answer: ManagementAnswer<BrokerPermission>, _ setting: ManagementJudge.Setting, into list: inout FindingList) {
    if answer == .notGiven(.status(404)) {
      return list.notChecked(
        "rights", "RabbitMQ itself has nothing on user \(setting.user) in virtual host \(setting.virtualHost): it may be known to another backend (LDAP, OAuth)"
      )
    }
    guard let permission = answer.value else { return ManagementJudge.tellIfNotGiven(answer, "rights", tag: "administrator", &list) }
    let (needsToWrite, needsToRead) = needed(setting)
    let lacking =
      needsToWrite.filter { !matches(permission.write, $0) }.map { "write \($0)" } + needsToRead.filter { !matches(permission.read, $0) }.map { "read \($0)" }
    let grant =
      "`rabbitmqctl set_permissions -p \(setting.virtualHost.shellWord) \(setting.user.shellWord) '^$' '^(\(escaped(setting.prefix))\\.events|amq\\.default)$' '^\(escaped(setting.prefix))\\..*'`"
    if !lacking.isEmpty {
      return list.problem("rights", "user \(setting.user) may not \(lacking.joined(separator: ", nor "))", mend: grant)
    }
    let excess = ["configure \(setting.prefix).commands": permission.configure, "write \(setting.prefix).commands": permission.write]
      .filter { matches($0.value, "\(setting.prefix).commands") }.keys.sorted()
    if setting.isProduction, !excess.isEmpty {
      return list.warning("rights", "user \(setting.user) may \(excess.joined(separator: " and ")), which no worker needs", mend: grant)
    }
    list.ok("rights", "user \(setting.user) may do all that a worker does")
  }

  private static func needed(_ setting: ManagementJudge.Setting) -> (write: [String], read: [String]) {
    let queues: [(WorkerRole, String)] = [(.commands, "commands"), (.queries, "queries"), (.deadLetters, "dead-letter")]
    return (["\(setting.prefix).events", "amq.default"], queues.filter { setting.roles.contains($0.0) }.map { "\(setting.prefix).\($0.1)" })
  }

  /// An empty expression gives no right.
  private static func matches(_ expression: String, _ name: String) -> Bool {
    guard !expression.isEmpty, let regex = try? Regex(expression) else { return false }
    return name.contains(regex)
  }

  private static func escaped(_ prefix: String) -> String { prefix.replacing(".", with: "\\.") }
}
