import Foundation

/// A request to a server on 127.0.0.1, as the shell can send it.
enum PlainHTTP {
  static func ask(_ path: String, method: String = "GET", port: Int, headers: [String] = [], body: String = "") -> (code: Int, body: String)? {
    let lines = (["\(method) \(path) HTTP/1.1", "Host: h", "Connection: close", "Content-Length: \(body.utf8.count)"] + headers + ["", body])
    let shell = Process()
    let output = Pipe()
    shell.executableURL = URL(fileURLWithPath: "/bin/bash")
    shell.arguments = ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port); printf '%s' \"$0\" >&3; cat <&3", lines.joined(separator: "\r\n")]
    shell.standardOutput = output
    shell.standardError = FileHandle.nullDevice
    guard (try? shell.run()) != nil else { return nil }
    let answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    guard let status = answer.firstMatch(of: /^HTTP\/1.1 (\d+)/).flatMap({ Int($0.1) }), let end = answer.range(of: "\r\n\r\n") else { return nil }
    return (status, String(answer[end.upperBound...]))
  }
}
