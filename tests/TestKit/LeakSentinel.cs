using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Bff.TestKit;

/// <summary>
/// Looks through every error body and log line that a test produces for what must never be there: stack traces, exception types and
/// addresses other than the host's own in bodies; in both, tokens, keys, every credential and cookie that crossed the wire, and the host's
/// configured secrets. Every host of the kit, and every client of one, has one; it fails the test when the host is disposed.
/// </summary>
public sealed partial class LeakSentinel
{
    private const int ShortestSecret = 6;
    private const int ShortestCredential = 16;
    private static readonly string[] Credentials = ["Authorization", "Cookie", "X-API-Key", "X-Identity-Token"];
    private static readonly string[] SecretParameters = ["code", "state", "access_token", "logout_token", "id_token_hint"];
    private readonly ConcurrentQueue<string> _leaks = new();
    private readonly ConcurrentDictionary<string, bool> _secrets = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<int> _ownPorts = [];

    /// <summary>What has been found.</summary>
    public IReadOnlyCollection<string> Leaks => _leaks;

    /// <summary>A text that may appear neither in an error nor in a log line.</summary>
    public void Forbid(string secret) => _secrets[secret] = true;

    /// <summary>Forbids what the configuration calls a secret, and knows the address that it calls public.</summary>
    public void Configured(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        foreach (var (key, value) in settings)
        {
            if (key == "PublicUrl" && Uri.TryCreate(value, UriKind.Absolute, out var own))
            {
                Own(own.Port);
            }

            if (value?.Length >= ShortestSecret && SecretSetting().IsMatch(key))
            {
                Forbid(value.StartsWith("base64:", StringComparison.Ordinal) ? value["base64:".Length..] : value);
            }
        }
    }

    /// <summary>Forbids the credentials in a header that a client sends or is given.</summary>
    public void ForbidHeader(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (name.Equals("Set-Cookie", StringComparison.OrdinalIgnoreCase))
        {
            ForbidCredential(value.Split(';')[0].Split('=', 2)[^1]);
        }
        else if (Credentials.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            foreach (var word in value.Split([' ', ';', ','], StringSplitOptions.RemoveEmptyEntries))
            {
                ForbidCredential(name.Equals("Cookie", StringComparison.OrdinalIgnoreCase) ? word.Split('=', 2)[^1] : word);
            }
        }
    }

    /// <summary>Forbids the credentials in a query or a form.</summary>
    public void ForbidParameters(string parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        foreach (var parameter in parameters.TrimStart('?').Split('&'))
        {
            if (parameter.Split('=', 2) is [var name, var value] && SecretParameters.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                ForbidCredential(Uri.UnescapeDataString(value));
            }
        }
    }

    /// <summary>A loopback port that errors may name, because it is the host's own.</summary>
    public void Own(int port) => _ownPorts.Add(port);

    /// <summary>Checks the body of an answer that tells of an error.</summary>
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
    public void CheckLog(LogEntry entry) => CheckLog(entry.Category, entry.Message + entry.Exception);

    /// <summary>Checks a line that a host has written.</summary>
    public void CheckLog(string where, string line) => CheckSecrets("log of " + where, line);

    /// <summary>Checks what was logged, and fails when anything was found in it or before.</summary>
    /// <exception cref="InvalidOperationException">With every find.</exception>
    public void Verify(LogRecorder log)
    {
        ArgumentNullException.ThrowIfNull(log);
        foreach (var entry in log.Entries)
        {
            CheckLog(entry);
        }

        Verify();
    }

    /// <summary>Fails when anything was found.</summary>
    /// <exception cref="InvalidOperationException">With every find.</exception>
    public void Verify()
    {
        if (!_leaks.IsEmpty)
        {
            throw new InvalidOperationException("Leaked:" + Environment.NewLine + string.Join(Environment.NewLine, _leaks));
        }
    }

    /// <summary>What a pattern finds by itself need not be remembered.</summary>
    private void ForbidCredential(string credential)
    {
        if (credential.Length >= ShortestCredential && !Token().IsMatch(credential))
        {
            Forbid(credential);
        }
    }

    private void CheckSecrets(string where, string text)
    {
        Check(where, text, Token());
        foreach (var (secret, _) in _secrets)
        {
            if (text.Contains(secret, StringComparison.Ordinal))
            {
                _leaks.Enqueue($"{where}: the secret '{secret}' in {text}");
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

    [GeneratedRegex(
        @"eyJ[\w-]{8,}\.[\w-]{8,}\.|\bpk_(?:live|test)_\w{32,}|\bwhsec_\S{16,}|\bBearer [\w.~+/-]{16,}|-----BEGIN [A-Z ]*PRIVATE KEY"
    )]
    private static partial Regex Token();

    [GeneratedRegex("(?:Secret|Pepper|Password)$|^ApiKeys:Bootstrap:|(?:SharedSecrets|SigningKeys):[^:]+:Value$", RegexOptions.IgnoreCase)]
    private static partial Regex SecretSetting();
}
