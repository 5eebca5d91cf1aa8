import JSONAdapter

/// A worker's answer to a command, as far as a sender at the command line judges it.
struct CommandReply {
  let outcome: String?
  /// What a duplicate was the first time.
  let original: String?

  /// Nil for what is not a JSON object.
  init?(_ body: [UInt8]) {
    guard let document = try? JSONParser.parse(body), document.root.kind == .object else { return nil }
    func text(_ name: StaticString) -> String? {
      guard let node = document.member(name, of: document.root), node.kind == .string else { return nil }
      return document.text(node)
    }
    outcome = text("outcome")
    original = text("original")
  }

  /// A repeat of what was accepted has had its effect.
  var isAccepted: Bool { outcome == "accepted" || outcome == "duplicate" && original == "accepted" }
}
