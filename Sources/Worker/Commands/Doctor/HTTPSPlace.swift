import ClientRuntime
import FoundationEssentials

/// Where a server of HTTPS listens.
struct HTTPSPlace: Sendable {
  private let host: String
  private let port: UInt16

  /// Nil for what is no `https://` URL.
  init?(_ url: String?) {
    guard let url, url.lowercased().hasPrefix("https://"), let parts = URL(string: url), let host = parts.host else { return nil }
    self.host = host
    port = UInt16(exactly: parts.port ?? 443) ?? 443
  }

  /// What is to be said of its certificate. Whether the server answers at all is another's to say.
  func look(_ subject: Finding.Subject, now: Int64) async -> [Finding] {
    var list = FindingList(subject, at: "\(host):\(port)")
    switch await TLSMeeting.look(at: host, port: port, within: .seconds(4)) {
    case .certificate(let end): CertificateJudge.judge(end, now: now, mend: "have it renewed by who runs the server", into: &list)
    case .noTLS: list.problem("certificate", "the server does not speak TLS at this port", mend: "correct the URL's port, or write http://")
    case .unreachable: break
    }
    return list.all
  }
}
