/// How to mend a connection that does not come about, by the words in which it failed.
enum ConnectionAdvice {
  static func postgres(_ reason: String, place: String) -> String {
    let text = reason.lowercased()
    if text.contains("password") { return "give ORDERS_DATABASE_URL the user's password, or set it: `\\password` in psql" }
    if text.contains("pg_hba") { return "add a line for this user, database and address to the server's pg_hba.conf, then `SELECT pg_reload_conf()`" }
    if text.contains("database") && text.contains("does not exist") { return "make it: `createdb` on the server; or correct the name in ORDERS_DATABASE_URL" }
    if text.contains("role") && text.contains("does not exist") { return "make the user: `CREATE ROLE … LOGIN`; or correct the name in ORDERS_DATABASE_URL" }
    if text.contains("too many") || text.contains("connection slots") { return "raise max_connections, or end what holds connections" }
    if text.contains("starting up") || text.contains("recovery") { return "wait until it has started; its log says how far it is" }
    return certificate(text) ?? away(text, place: place, setting: "ORDERS_DATABASE_URL")
  }

  static func rabbitmq(_ reason: String, place: String, isRefused: Bool) -> String {
    if isRefused {
      return
        "correct user, password and virtual host in ORDERS_AMQP_URL; `rabbitmqctl list_users`, `rabbitmqctl list_vhosts`, `rabbitmqctl list_permissions -p VHOST` show what is there"
    }
    let text = reason.lowercased()
    return certificate(text) ?? away(text, place: place, setting: "ORDERS_AMQP_URL")
  }

  static func redis(_ reason: String, place: String) -> String {
    let text = reason.uppercased()
    if text.contains("AUTH") || text.contains("WRONGPASS") { return "correct user and password in ORDERS_REDIS_URL" }
    return away(reason.lowercased(), place: place, setting: "ORDERS_REDIS_URL")
  }

  /// Nil where it is not about TLS.
  private static func certificate(_ text: String) -> String? {
    if text.contains("expired") { return "renew the server's certificate" }
    if text.contains("not valid yet") { return "correct the clock of this machine, or have the certificate issued again" }
    if text.contains("certificate is not for") || text.contains("does not match host name") || text.contains("for another name") {
      return "have the certificate issued for the name that the URL has, or use in the URL a name that it is for"
    }
    if text.contains("certificate") || text.contains("tls") || text.contains("ssl") { return "docs/tls.md says what each sentence means" }
    return nil
  }

  private static func away(_ text: String, place: String, setting: String) -> String {
    if text.contains("resolve") { return "correct the name in \(setting), or the name server's answer: `getent hosts NAME`" }
    if ["timed out", "timeout", "no answer", "not answer", "no connection within"].contains(where: text.contains) {
      return "see whether the server there is overloaded or stands still, or something on the way (firewall, network policy) swallows what is sent"
    }
    return "start the server there or open the way to it (firewall, network policy); if it is gone for good, take \(place) out of \(setting)"
  }
}
