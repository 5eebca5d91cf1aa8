/// What is wrong with a value, where there is more to say than what was expected.
struct SettingFault: Error, Equatable {
  var detail: String?
}

/// A kind of value: how it is read, and what to say where it cannot be.
struct SettingKind<Value: Sendable>: Sendable {
  /// Ends the sentence "… should be".
  let expectation: String
  /// Stands for the value in help texts.
  let placeholder: String
  let masking: SettingMasking
  let parse: @Sendable (String) throws(SettingFault) -> Value

  init(
    expectation: String, placeholder: String, masking: SettingMasking = .none, parse: @escaping @Sendable (String) throws(SettingFault) -> Value
  ) {
    self.expectation = expectation
    self.placeholder = placeholder
    self.masking = masking
    self.parse = parse
  }

  func map<Other: Sendable>(_ transform: @escaping @Sendable (Value) -> Other) -> SettingKind<Other> {
    SettingKind<Other>(expectation: expectation, placeholder: placeholder, masking: masking) { [parse] text throws(SettingFault) in
      transform(try parse(text))
    }
  }
}

extension SettingKind where Value == Int {
  static func wholeNumber(_ range: ClosedRange<Int>) -> SettingKind {
    SettingKind(expectation: "a whole number from \(range.lowerBound) to \(range.upperBound)", placeholder: "N") { text throws(SettingFault) in
      guard let number = Int(text), range.contains(number) else {
        // A Service called `orders-http` makes Kubernetes set ORDERS_HTTP_PORT=tcp://….
        throw SettingFault(detail: text.hasPrefix("tcp://") ? "Kubernetes sets it for a Service of that name: `enableServiceLinks: false` stops it" : nil)
      }
      return number
    }
  }
}

extension SettingKind where Value == Double {
  static let share = SettingKind(expectation: "a number from 0 to 1 such as 0.05", placeholder: "SHARE") { text throws(SettingFault) in
    guard let share = Double(text), (0...1).contains(share) else { throw SettingFault() }
    return share
  }
}

extension SettingKind where Value == Duration {
  static func duration(_ range: ClosedRange<Duration>) -> SettingKind {
    let bounds = "from \(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
    return SettingKind(expectation: "a time \(bounds) such as 250ms, 10s, 15m or 2h", placeholder: "TIME") { text throws(SettingFault) in
      guard let duration = DurationText.parse(text), range.contains(duration) else { throw SettingFault() }
      return duration
    }
  }
}

extension SettingKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of an enumeration's words.
  static func word(_ type: Value.Type = Value.self) -> SettingKind {
    SettingKind(expectation: "one of " + type.allCases.map(\.rawValue).joined(separator: ", "), placeholder: "WORD") { text throws(SettingFault) in
      guard let value = Value(rawValue: text) else { throw SettingFault() }
      return value
    }
  }
}

extension SettingKind {
  /// Some of an enumeration's words, by comma; kept in the order of the enumeration.
  static func words<Word: RawRepresentable & CaseIterable & Sendable & Equatable>(_ type: Word.Type) -> SettingKind
  where Value == [Word], Word.RawValue == String {
    let known = type.allCases.map(\.rawValue).joined(separator: ", ")
    return SettingKind(expectation: "some of \(known), by comma", placeholder: "WORD,…") { text throws(SettingFault) in
      var given: [Word] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let name = part.trimmingBlanks
        guard let word = Word(rawValue: name) else { throw SettingFault(detail: "\"\(name)\" is none of them") }
        given.append(word)
      }
      return type.allCases.filter(given.contains)
    }
  }
}
