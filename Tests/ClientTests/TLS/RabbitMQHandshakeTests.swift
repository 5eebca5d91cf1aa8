import ClientRuntime
import Glibc
import RabbitMQClient
import TestSupport
import Testing

/// Servers whose certificates are not good, and such as do not come as far as that.
@Suite(.serialized, .tags(.integration), .enabled(if: TestCertificates.isInstalled))
struct RabbitMQHandshakeTests {
  struct Case: CustomTestStringConvertible {
    let testDescription: String
    var host = "localhost"
    var names = ["localhost"]
    var signer = "authority"
    var days = 2
    var trustsAuthority = true
    var server: [String] = []
    /// `$trusted` is the file of the trusted authority.
    let sentence: String
  }

  static let cases = [
    Case(testDescription: "other name", names: ["elsewhere.example"], sentence: "the server's certificate is not for localhost, only for elsewhere.example"),
    Case(testDescription: "address instead of name", host: "127.0.0.1", sentence: "the server's certificate is not for 127.0.0.1, only for localhost"),
    Case(testDescription: "other address", host: "127.0.0.1", names: ["127.0.0.2"], sentence: "is not for 127.0.0.1, only for 127.0.0.2"),
    Case(testDescription: "part of a name", names: ["local*"], sentence: "the server's certificate is not for localhost, only for local*"),
    Case(testDescription: "expired", days: -1, sentence: "the server's certificate has expired"),
    Case(testDescription: "other authority", signer: "stranger", sentence: "the server's certificate is signed by no authority in $trusted"),
    Case(testDescription: "system's store", trustsAuthority: false, sentence: "the server's certificate is signed by no authority in the system's store"),
    Case(testDescription: "old TLS", server: ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], sentence: "the server speaks no version of TLS from 1.2 on"),
  ]

  @Test(arguments: cases) func aServerIsRefusedInASentenceThatSaysWhy(of wrong: Case) async throws {
    let files = try await TestCertificates()
    try await files.issue("server", by: wrong.signer, for: wrong.names, days: wrong.days)
    let port = freePort()
    let server = await ServerProcess.start(
      ["openssl", "s_server", "-www", "-accept", "127.0.0.1:\(port)", "-cert", files.certificate("server"), "-key", files.key("server")] + wrong.server,
      log: "\(files.folder)/log")
    #expect(await eventually { listensOnLoopback(port) })
    let trusted = files.certificate("authority")
    let url = "amqps://guest:hunter2@\(wrong.host):\(port)" + (wrong.trustsAuthority ? "?cacertfile=\(trusted)" : "")
    let error = await connectError(try ConnectionConfiguration(url: url, name: "handshake"))
    #expect(
      error?.message.hasPrefix("cannot connect to RabbitMQ at \(wrong.host):\(port): ") == true
        && error?.message.hasSuffix(wrong.sentence.replacing("$trusted", with: trusted)) == true,
      "\(String(describing: error))")
    #expect(error?.code == .connection && error?.isRetriable == true && error?.message.contains("hunter2") == false)
    await server.end(SIGKILL)
    await files.remove()
  }

  @Test func aServerThatNeverAnswersTheHandshakeCostsTheConnectTimeout() async throws {
    let (listener, port) = listenOnLoopback()
    let url = "amqps://localhost:\(port)?verify=verify_none"
    let (error, took) = try await timed {
      await connectError(try ConnectionConfiguration(url: url, name: "silent", connectTimeout: .milliseconds(700)))
    }
    #expect(error?.message.hasSuffix("no answer to the TLS handshake within the connect timeout") == true, "\(String(describing: error))")
    #expect(error?.code == .timeout && took > .milliseconds(300) && took < .seconds(10), "\(took)")

    // And who publishes meanwhile waits no longer than its own deadline.
    let publisher = Publisher(configuration: try ConnectionConfiguration(url: url, name: "silent", connectTimeout: .seconds(5)))
    let (outcomes, waited) = await timed {
      await publisher.publish([Publication(exchange: "", routingKey: "q", body: [1])], deadline: .after(.milliseconds(200)))
    }
    guard case .notSent = outcomes[0] else {
      Issue.record("\(outcomes)")
      return
    }
    #expect(waited < .seconds(3))
    close(listener)
    await publisher.close()
  }

  @Test func aServerThatHangsUpInTheHandshakeIsToldOf() async throws {
    let (listener, port) = listenOnLoopback()
    _ = DedicatedThread(name: "hangs-up", stackSize: 256 << 10) {
      while case let peer = accept(listener, nil, nil), peer >= 0 {
        var hello: [UInt8] = [0]
        _ = read(peer, &hello, 1)
        shutdown(peer, Int32(SHUT_RDWR))
        close(peer)
      }
    }
    let error = await connectError(try ConnectionConfiguration(url: "amqps://localhost:\(port)", name: "short"))
    #expect(error?.message.hasSuffix("the server closed the connection") == true, "\(String(describing: error))")
    shutdown(listener, Int32(SHUT_RDWR))
  }

  @Test func filesThatCannotBeUsedAreNamedByEachTryToConnect() async throws {
    let files = try await TestCertificates()
    try await files.issue("client", for: ["client"])
    let (listener, port) = listenOnLoopback()
    defer { close(listener) }
    let (missing, client) = ("\(files.folder)/missing.pem", files.certificate("client"))
    for (parameters, sentence) in [
      ("cacertfile=\(missing)", "the authorities in \(missing) cannot be used: No such file or directory"),
      ("cacertfile=\(files.key("client"))", "the authorities in \(files.key("client")) cannot be used: "),
      ("certfile=\(missing)", "the client certificate in \(missing) cannot be used: No such file or directory"),
      ("certfile=\(client)", "the client certificate's key in \(client) cannot be used: "),
      ("certfile=\(client)&keyfile=\(files.key("authority"))", "the client certificate's key in \(files.key("authority")) cannot be used: "),
    ] {
      let error = await connectError(try ConnectionConfiguration(url: "amqps://localhost:\(port)?\(parameters)", name: "files"))
      #expect(error?.message.contains(sentence) == true && error?.isRetriable == true, "\(String(describing: error))")
    }
    await files.remove()
  }
}
