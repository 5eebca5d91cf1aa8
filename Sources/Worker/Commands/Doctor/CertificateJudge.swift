import ClientRuntime

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
  static func isoDate(_ seconds: Int64) -> String {
    // Years that begin in March, so that the leap day is the last.
    let days = (seconds >= 0 ? seconds : seconds - day + 1) / day + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let ofEra = days - era * 146_097
    let year = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * year + year / 4 - year / 100)
    let month = (5 * ofYear + 2) / 153
    let (m, d) = (month < 10 ? month + 3 : month - 9, ofYear - (153 * month + 2) / 5 + 1)
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(year + era * 400 + (m <= 2 ? 1 : 0))-\(two(m))-\(two(d))"
  }
}
