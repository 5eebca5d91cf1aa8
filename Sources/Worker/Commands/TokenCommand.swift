import ArgumentParser
import Domain
import JWTAdapter
import Operations

struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Mint a token with the local key, for development.",
    discussion: """
      The key is ORDERS_JWT_PRIVATE_KEY_FILE (PKCS#8 PEM: RSA, P-256 or Ed25519) or, where that is not set, the secret of ORDERS_JWT_HMAC_SECRET_FILE. \
      --jwks prints the public half of the private key as a worker wants it in ORDERS_JWT_JWKS_FILE.

        order-worker token --role service
        order-worker token --role customer --sub customer-123 --tenant shop-a --for 5m
        order-worker token --jwks > jwks.json
      """)

  @OptionGroup var caller: CallerOptions
  @OptionGroup var whose: TenantOption
  @Option(name: .customLong("for"), help: ArgumentHelp("How long it is good.", valueName: "TIME"), transform: SendCommand.duration)
  var lifetime = Duration.seconds(3_600)
  @Flag(help: "Print the JWK Set that verifies its tokens instead.") var jwks = false
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var settings: SettingOptions

  func validate() throws {
    if !jwks && caller.role.isEmpty { throw ValidationError("--role has no default here: say customer, service, viewer or operator.") }
  }

  func run() async throws {
    let configuration = try settings.load()
    guard let minter = try await CallerOptions.minter(configuration) else {
      throw CommandFailure("there is no local key to sign with: set ORDERS_JWT_PRIVATE_KEY_FILE or ORDERS_JWT_HMAC_SECRET_FILE")
    }
    if jwks {
      guard let keys = minter.publicKeys else { throw CommandFailure("a shared secret has no public half: set ORDERS_JWT_PRIVATE_KEY_FILE") }
      return Console.print(keys)
    }
    let token = try await CallerOptions.mint(minter, caller.principal(of: whose.tenant), configuration, lifetime: lifetime)
    guard json else { return Console.print(token) }
    var json = JSONText()
    json.object { $0.member("token", token) }
    Console.print(utf8: json.bytes)
  }
}
