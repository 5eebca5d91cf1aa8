import ClientRuntime
import Glibc

extension PostgresConfiguration {
  /// What somebody on the way to another machine could do, in a sentence without secrets; nil where it is nothing.
  public var exposure: String? {
    let remote = hosts.compactMap(Self.remotePlace).joined(separator: ", ")
    if remote.isEmpty { return nil }
    let given = hosts[0].first { $0.keyword == "sslmode" && !$0.value.isEmpty }?.value
    switch given ?? Self.environment("PGSSLMODE") ?? "prefer" {
    case "verify-full", "verify-ca": return nil
    case "require": return "PostgreSQL at \(remote) is not verified, so that anybody in between can pass for it: sslmode=verify-full does that"
    case let mode: return "the connection to PostgreSQL at \(remote) may go unencrypted with sslmode=\(mode): sslmode=verify-full forbids that"
    }
  }

  /// Nil for a host of this machine.
  private static func remotePlace(_ host: [(keyword: String, value: String)]) -> String? {
    func value(_ keyword: String) -> String? { host.first { $0.keyword == keyword && !$0.value.isEmpty }?.value }
    // The address is what is connected to; the name may be a certificate's only.
    guard let target = value("hostaddr") ?? value("host") ?? environment("PGHOSTADDR") ?? environment("PGHOST"), !HostLookup.isLocal(target) else { return nil }
    return "\(value("host") ?? target):\(value("port") ?? environment("PGPORT") ?? "5432")"
  }

  private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }
}
