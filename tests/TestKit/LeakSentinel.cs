using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Bff.TestKit;

/// <summary>
/// Searches every error body and log line of a test for what must never be there: in bodies, stack traces, exception types and addresses
/// other than the host's own; in both, tokens, keys, every credential and cookie that was sent or received, and the host's configured
/// secrets. Every host of the test kit and every client of one has a sentinel, which fails the test when the host is disposed.
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

    /// <summary>All findings.</summary>
    public IReadOnlyCollection<string> Leaks => _leaks;

    /// <summary>Forbids a text in errors and log lines.</summary>
    public void Forbid(string secret) => _secrets[secret] = true;

    /// <summary>Forbids the secrets in the configuration, and allows its public address.</summary>
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

    /// <summary>Forbids the credentials in a header that a client sends or receives.</summary>
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

    /// <summary>Allows a loopback port in errors, because it is the host's own.</summary>
    public void Own(int port) => _ownPorts.Add(port);

    /// <summary>Checks the body of an error answer.</summary>
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

    /// <summary>Checks a log line, including its exception.</summary>
    public void CheckLog(LogEntry entry) => CheckLog(entry.Category, entry.Message + entry.Exception);

    /// <summary>Checks a line that a host has written.</summary>
    public void CheckLog(string where, string line) => CheckSecrets("log of " + where, line);

    /// <summary>Checks a log, and fails if anything was found in it or before.</summary>
    /// <exception cref="InvalidOperationException">Lists all findings.</exception>
    public void Verify(LogRecorder log)
    {
        ArgumentNullException.ThrowIfNull(log);
        foreach (var entry in log.Entries)
        {
            CheckLog(entry);
        }

        Verify();
    }

    /// <summary>Fails if anything was found.</summary>
    /// <exception cref="InvalidOperationException">Lists all findings.</exception>
    public void Verify()
    {
        if (!_leaks.IsEmpty)
        {
            throw new InvalidOperationException("Leaked:" + Environment.NewLine + string.Join(Environment.NewLine, _leaks));
        }
    }

    /// <summary>Forbids a credential, unless a pattern finds it anyway.</summary>
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
