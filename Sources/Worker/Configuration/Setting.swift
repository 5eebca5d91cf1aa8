/// A setting: its name, what its values look like, and what holds where none is given.
struct Setting<Value: Sendable>: Sendable {
  /// As in the environment and the file, `ORDERS_PREFETCH`; the flag is `--prefetch`.
  let name: String
  let kind: SettingKind<Value>
  /// As text, so that it is shown and read like any other value.
  let standard: String?
  /// What the value is where there is neither one given nor a standard one.
  private let absent: Value?
  let help: String

  init(_ name: String, _ kind: SettingKind<Value>, standard: String, _ help: String) {
    self.name = name
    self.kind = kind
    self.standard = standard
    self.help = help
    absent = nil
  }

  private init(_ name: String, _ kind: SettingKind<Value>, absent: Value, _ help: String) {
    self.name = name
    self.kind = kind
    self.help = help
    self.absent = absent
    standard = nil
  }

  /// A setting that may be left out altogether.
  static func optional<Wrapped: Sendable>(_ name: String, _ kind: SettingKind<Wrapped>, _ help: String) -> Setting where Value == Wrapped? {
    Setting(name, kind.map(Optional.some), absent: Wrapped?.none, help)
  }
}

/// A setting of whatever type, as the table lists it.
protocol AnySetting: Sendable {
  var name: String { get }
  var standard: String? { get }
  var help: String { get }
  var expectation: String { get }
  var placeholder: String { get }
  var masking: SettingMasking { get }
  /// The value of a text, or of none.
  func value(of text: String?) throws(SettingFault) -> any Sendable
}

extension AnySetting {
  /// `--prefetch` for `ORDERS_PREFETCH`.
  var flag: String { "--" + name.dropFirst("ORDERS_".count).lowercased().replacing("_", with: "-") }

  /// The setting that names a file with the value in it; nil where the value is not a secret.
  var fileForm: String? { masking == .none ? nil : name + "_FILE" }

  func masked(_ text: String) -> String { masking.mask(text) }
}

extension Setting: AnySetting {
  var expectation: String { kind.expectation }
  var placeholder: String { kind.placeholder }
  var masking: SettingMasking { kind.masking }

  func value(of text: String?) throws(SettingFault) -> any Sendable {
    guard let text = text ?? standard else { return absent! }  // one of the initialisers gave one or the other
    return try kind.parse(text)
  }
}
