import Application
import ArgumentParser
import Domain
import Glibc
import JSONAdapter
import JWTAdapter
import Operations
import PostgresAdapter

/// Who calls, for commands that somebody must have a right to. A token that is shown counts; else one is minted with the local key, where there is one.
struct CallerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The role that a minted token has; may be given more than once. (default: operator)", valueName: "ROLE")) var role: [Role] = []
  @Option(help: ArgumentHelp("Who a minted token says that you are. (default: cli:USER)", valueName: "NAME")) var sub: String?

  func validate() throws {
    if let sub, identifierFault(sub) != nil { throw ValidationError("--sub must have 1 to 128 characters, none of them a control character.") }
  }

  /// As a token minted here would say it.
  func principal(of tenant: TenantID) -> Principal {
    Principal(subject: sub ?? Self.user, roles: role.isEmpty ? [.operator] : Set(role), tenant: tenant)
  }

  /// The value of the `authorization` header to send; nil where there is neither a token nor a key to mint one with.
  func bearer(_ configuration: Configuration, tenant: TenantID) async throws -> String? {
    if let token = configuration[.token] { return "Bearer \(token)" }
    guard let minter = try await Self.minter(configuration) else { return nil }
    return "Bearer \(try await Self.mint(minter, principal(of: tenant), configuration, lifetime: .seconds(3_600)))"
  }

  /// Who may do this to what belongs to `tenant`. For anybody else it throws a sentence; where that one is known, the audit log tells of it,
  /// by the name of what was asked for.
  func allowed(_ act: Act, in tenant: TenantID, _ configuration: Configuration, asking action: String) async throws -> Principal {
    let caller = try await verified(configuration, tenant)
    if Permissions.reach(of: caller, in: act) == .tenant, caller.tenant == tenant { return caller }
    let entry = AuditEntry(action, by: caller.subject, in: tenant, outcome: DeadLetterReason.forbidden.rawValue, at: .now)
    do {
      try await SetupDatabase.withClient(configuration, as: .system, wait: .seconds(10)) { try await PostgresDeadLetterStore(client: $0).audit([entry]) }
    } catch {
      // Refused all the same.
      Console.complain("this could not be written to the audit log: \(SetupDatabase.sentence(error))")
    }
    throw CommandFailure(
      caller.tenant == tenant
        ? "this is for the role operator, which \(caller.subject) has not got" : "\(caller.subject) is of the tenant \(caller.tenant), and not of \(tenant)")
  }

  private func verified(_ configuration: Configuration, _ tenant: TenantID) async throws -> Principal {
    if configuration[.auth] == .off { return Principal(subject: sub ?? Self.user, roles: [.operator], tenant: tenant) }
    if let token = configuration[.token] {
      let auth = try AuthComposition(configuration) { _ in }
      await auth.fetchKeys()
      let result: Result<Principal, AuthenticationFault>
      do throws(AuthenticationFault) {
        let message = Message(exchange: "", routingKey: "", headers: [MessageHeader("authorization", .string("Bearer \(token)"))], body: [])
        result = .success(try auth.authenticator.authenticate(message))
      } catch {
        result = .failure(error)
      }
      await auth.close()
      switch result {
      case .success(let principal): return principal
      case .failure(let fault): throw CommandFailure("you are not known: \(fault.sentence)")
      }
    }
    // Who holds the key could mint any token: none is made and verified again for that.
    if try await Self.minter(configuration) != nil { return principal(of: tenant) }
    throw CommandFailure(
      "ORDERS_AUTH is required, and nothing says who you are: show a token by --token or ORDERS_TOKEN, or set ORDERS_JWT_PRIVATE_KEY_FILE or ORDERS_JWT_HMAC_SECRET_FILE, with which one is minted"
    )
  }

  /// The local key; nil where none is set.
  static func minter(_ configuration: Configuration) async throws -> TokenMinter? {
    do throws(KeySourceFault) {
      if let path = configuration[.jwtPrivateKeyFile] {
        return try await TokenMinter(privateKey: String(decoding: try file(path), as: UTF8.self))
      }
      guard let path = configuration[.jwtSecretFile] else { return nil }
      return try await TokenMinter(secret: SharedSecret(try file(path)))
    } catch {
      throw CommandFailure("the local key: \(error.sentence)")
    }
  }

  static func mint(_ minter: TokenMinter, _ principal: Principal, _ configuration: Configuration, lifetime: Duration) async throws -> String {
    do throws(KeySourceFault) {
      return try await minter.mint(
        principal, issuer: configuration[.jwtIssuer], audience: configuration[.jwtAudience], lifetime: lifetime, now: .now)
    } catch {
      throw CommandFailure(error.sentence)
    }
  }

  private static func file(_ path: String) throws(KeySourceFault) -> [UInt8] {
    do throws(FileFault) {
      return try WholeFile.read(path)
    } catch {
      throw KeySourceFault("\(path) cannot be read: \(error.reason)")
    }
  }

  private static let user: String = {
    guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return "cli:\(geteuid())" }
    return "cli:\(String(cString: name))"
  }()
}

extension Role: ExpressibleByArgument {}

/// Whose orders a command is about.
struct TenantOption: ParsableArguments {
  @Option(help: ArgumentHelp("The tenant that a minted token is for.", valueName: "TENANT")) var tenant = TenantID.standard
}
