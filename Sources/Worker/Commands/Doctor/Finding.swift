/// One thing that `doctor` looked at, and what it saw. Never has a secret in it.
struct Finding: Sendable, Equatable {
  enum Verdict: String, Sendable, CaseIterable {
    // In the order in which they are shown.
    case problem, warning
    /// The reason is in `found`, and what it takes to look in `mend`.
    case notChecked = "not checked"
    case ok
  }

  /// Which part of the set-up.
  enum Subject: String, Sendable, CaseIterable { case configuration, files, postgres, rabbitmq, redis, keys, payment, clocks }

  let subject: Subject
  /// The server or file, where there can be several.
  let place: String?
  /// What was looked at, in a word or two that stay the same from version to version.
  let check: String
  let verdict: Verdict
  /// A sentence.
  let found: String
  /// How to mend it; nil where there is nothing to mend.
  let mend: String?
}

/// Findings about one place, as they are made.
struct FindingList {
  private(set) var all: [Finding] = []
  private let subject: Finding.Subject
  private let place: String?

  init(_ subject: Finding.Subject, at place: String? = nil) {
    self.subject = subject
    self.place = place
  }

  mutating func ok(_ check: String, _ found: String) { add(.ok, check, found, nil) }
  mutating func warning(_ check: String, _ found: String, mend: String) { add(.warning, check, found, mend) }
  mutating func problem(_ check: String, _ found: String, mend: String) { add(.problem, check, found, mend) }
  mutating func notChecked(_ check: String, _ found: String, mend: String? = nil) { add(.notChecked, check, found, mend) }

  mutating func add(_ verdict: Finding.Verdict, _ check: String, _ found: String, _ mend: String?) {
    // Servers' own words have line feeds and tabs in them.
    let line = found.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    all.append(Finding(subject: subject, place: place, check: check, verdict: verdict, found: line, mend: mend))
  }
}

/// What a server told, or why it could not be asked.
enum Examined<Facts: Sendable>: Sendable {
  case facts(Facts)
  case failed(String)

  var facts: Facts? { if case .facts(let facts) = self { facts } else { nil } }
}

extension String {
  /// As one word of a shell's command line.
  var shellWord: String {
    let isPlain =
      !isEmpty
      && utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "/._:@%+=,-".utf8.contains(byte)
      }
    return isPlain ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}
