using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Bff.TestKit;

/// <summary>
/// Looks through every error body and log line that a test produces for what must never be there: stack traces, exception types and addresses other than
/// the host's own in bodies; tokens, keys and whatever the test calls a secret in both. <see cref="TestHost"/> checks when it is disposed.
/// </summary>
public sealed partial class LeakSentinel
{
    private readonly ConcurrentQueue<string> _leaks = new();
    private readonly ConcurrentBag<string> _secrets = [];
    private readonly ConcurrentBag<int> _ownPorts = [];

    /// <summary>What has been found.</summary>
    public IReadOnlyCollection<string> Leaks => _leaks;

    /// <summary>A text that may appear neither in an error nor in a log line.</summary>
    public void Forbid(string secret) => _secrets.Add(secret);

    /// <summary>A loopback port that errors may name, because it is the host's own.</summary>
    public void Own(int port) => _ownPorts.Add(port);

    /// <summary>Checks the body of an answer of 400 or above.</summary>
    public void CheckErrorBody(string where, string body)
    {
        Check(where, body, StackTrace());
        Check(where, body, ExceptionType());
        foreach (Match match in LoopbackAddress().Matches(body))
        {
            if (!_ownPorts.Contains(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)))
            {
                _leaks.Enqueue($"{where}: '{match.Value}' in {body}");
            }
        }

        CheckSecrets(where, body);
    }

    /// <summary>Checks a log line, its exception included.</summary>
    public void CheckLog(LogEntry entry) => CheckSecrets($"log of {entry.Category}", entry.Message + entry.Exception);

    /// <summary>Fails when anything was found.</summary>
    /// <exception cref="InvalidOperationException">With every find.</exception>
    public void Verify()
    {
        if (!_leaks.IsEmpty)
        {
            throw new InvalidOperationException("Leaked:" + Environment.NewLine + string.Join(Environment.NewLine, _leaks));
        }
    }

    private void CheckSecrets(string where, string text)
    {
        Check(where, text, Token());
        foreach (var secret in _secrets)
        {
            if (text.Contains(secret, StringComparison.Ordinal))
            {
                _leaks.Enqueue($"{where}: a secret in {text}");
            }
        }
    }

    private void Check(string where, string text, Regex pattern)
    {
        if (pattern.Match(text) is { Success: true } match)
        {
            _leaks.Enqueue($"{where}: '{match.Value}' in {text}");
        }
    }

    [GeneratedRegex(@"\bat [\w.<>`+]+\(|\.cs:line \d+")]
    private static partial Regex StackTrace();

    [GeneratedRegex(@"\b\w+Exception\b")]
    private static partial Regex ExceptionType();

    [GeneratedRegex(@"(?:127\.0\.0\.1|localhost|\[::1\]):(\d+)")]
    private static partial Regex LoopbackAddress();

    [GeneratedRegex(@"eyJ[\w-]{8,}\.[\w-]{8,}\.|\bpk_(?:live|test)_\w{32,}|\bwhsec_\S{16,}|\bBearer [\w.~+/-]{16,}")]
    private static partial Regex Token();
}
