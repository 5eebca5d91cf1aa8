import Application
import Domain
import JSONAdapter

/// What does not change from one input to the next.
enum Fixed {
  static let currency = Currency("USD")!
  static let now = Timestamp(microseconds: 1_764_000_000_000_000)
  static let replyTo = ReplyToPolicy(ownPrefix: "orders")
  static let seal = UnsignedJourneySeal()
  static let commands = "orders.commands"
  static let queries = "orders.queries"
  static let decoder = JSONCommandDecoder(
    commandsExchange: commands, defaultCurrency: currency, replyTo: replyTo, seal: seal, authenticator: OpenAuthenticator())
  static let letters = JSONDeadLetterCodec(commandsExchange: commands, seal: seal, authenticator: OpenAuthenticator())
  static let encoder = JSONMessageEncoder()
  static let keys = try! SealingKeys(Array(#"{"keys":[{"kty":"oct","kid":"a","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]}"#.utf8))
  static let signed = SignedJourneySeal(keys: keys) { now }
  static let letter = DeadLetterKey(tenant: TenantID("acme")!, id: UUIDValue(high: 0x6f1c_2d3e_1111_4222, low: 0x8333_4444_5555_6666))

  /// An object with a name for each thing that it says.
  static func isObject(_ json: [UInt8]) -> Bool { (try? JSONParser.parse(json, levels: 64))?.root.kind == .object }
}
