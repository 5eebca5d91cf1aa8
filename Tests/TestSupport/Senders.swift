import Foundation

/// Keys of a world whose worker asks for tokens, and the tokens of its senders, made by openssl and by the program itself.
package struct Senders: Sendable {
  /// All of one sender, who may do what every sender may where nobody asks.
  package let tokens: [String]
  private let folder: URL

  package static func make() async throws -> Senders {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(Stack.uniqueName("senders"))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    let sealing = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    try Data(#"{"keys":[{"kty":"oct","kid":"own","k":"\#(sealing)"}]}"#.utf8).write(to: URL(fileURLWithPath: path("sealing")))
    let script = """
      set -eu
      openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1/key" 2>/dev/null
      export ORDERS_JWT_PRIVATE_KEY_FILE="$1/key"
      "$2" token --jwks >"$1/jwks"
      for hours in 24 25 26; do "$2" token --role service --role operator --sub anonymous --for "${hours}h"; done >"$1/tokens"
      """
    let log = path("log")
    guard await ServerProcess.run(["sh", "-c", script, "senders", folder.path, ProductWorld.executable], log: log) else {
      throw ProductWorld.Failure(description: "no tokens could be made: \(log)")
    }
    let tokens = try String(contentsOf: URL(fileURLWithPath: path("tokens")), encoding: .utf8).split(separator: "\n").map(String.init)
    return Senders(tokens: tokens, folder: folder)
  }

  /// For the worker.
  package var settings: [String: String] {
    [
      "ORDERS_AUTH": "required", "ORDERS_JWT_JWKS_FILE": folder.appendingPathComponent("jwks").path,
      "ORDERS_SIGNING_KEY_FILE": folder.appendingPathComponent("sealing").path,
    ]
  }

  package func remove() { try? FileManager.default.removeItem(at: folder) }
}
