import ClientRuntime
import Domain

/// What is to be said of a certificate that runs out.
enum CertificateJudge {
  private static let day: Int64 = 86_400

  /// - Parameters:
  ///   - now: In seconds since 1970.
  ///   - mend: Who renews it, and where.
  static func judge(_ end: CertificateEnd, now: Int64, check: String = "certificate", mend: String, into list: inout FindingList) {
    let left = end.seconds - now
    let name = end.name.isEmpty ? "" : " of \(end.name)"
    let date = "on \(isoDate(end.seconds))"
    switch left {
    case ..<0: list.problem(check, "the certificate\(name) ran out \(date)", mend: mend)
    case ..<(7 * day): list.problem(check, "the certificate\(name) runs out in \(days(left)), \(date)", mend: mend)
    case ..<(30 * day): list.warning(check, "the certificate\(name) runs out in \(days(left)), \(date)", mend: mend)
    default: list.ok(check, "good until \(isoDate(end.seconds))")
    }
  }

  private static func days(_ seconds: Int64) -> String {
    if seconds < day { return "less than a day" }
    let days = (seconds + day / 2) / day
    return days == 1 ? "1 day" : "\(days) days"
  }

  /// `2026-11-26`.
  static func isoDate(_ seconds: Int64) -> String { String(Timestamp(microseconds: seconds * 1_000_000).description.prefix(10)) }
}
