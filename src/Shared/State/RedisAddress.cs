using Bff.Configuration;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>The address of Redis.</summary>
[Settings("ConnectionStrings")]
internal sealed class RedisAddress
{
    private const string Plain = "redis://",
        Secure = "rediss://";

    /// <summary>
    /// Address of Redis: one server, several servers of a cluster, or Sentinels with <c>serviceName</c>. Without it, each instance keeps
    /// its state in its own process.
    /// </summary>
    [Setting(
        Key = "redis",
        Range = "a connection string such as host:6379,user=...,password=...,ssl=true, or an address such as rediss://user:password@host:6379",
        Default = "none; required in Production"
    )]
    public string? Redis { get; init; }

    public static string? Of(IConfiguration configuration) =>
        configuration.GetConnectionString("redis") is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;

    /// <summary>Parses a connection string of the client library or an address. Returns null if the text is neither.</summary>
    public static ConfigurationOptions? Parse(string text)
    {
        try
        {
            var options =
                text.StartsWith(Plain, StringComparison.OrdinalIgnoreCase) ? FromAddress(text[Plain.Length..])
                : text.StartsWith(Secure, StringComparison.OrdinalIgnoreCase)
                    ? FromAddress(text[Secure.Length..] + (text.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "ssl=true")
                : ConfigurationOptions.Parse(text);
            return options.EndPoints.Count > 0 ? options : null;
        }
#pragma warning disable CA1031 // The client library's parser throws many exceptions, and their messages may quote the password.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }

    /// <summary>
    /// Parses <c>[user[:password]@]host[:port],...[/database][?option=value&amp;...]</c>; user and password are percent-encoded (RFC 3986).
    /// </summary>
    private static ConfigurationOptions FromAddress(string text)
    {
        var (hosts, query) = Cut(text, text.IndexOf('?', StringComparison.Ordinal));
        (hosts, var database) = Cut(hosts, hosts.IndexOf('/', StringComparison.Ordinal));
        var at = hosts.LastIndexOf('@');
        var (user, password) = at < 0 ? ("", "") : Cut(hosts[..at], hosts.IndexOf(':', 0, at));
        var parts = new List<string> { hosts[(at + 1)..] };
        parts.AddRange(query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString));
        var options = ConfigurationOptions.Parse(string.Join(',', parts));
        options.User = user.Length > 0 ? Uri.UnescapeDataString(user) : options.User;
        options.Password = password.Length > 0 ? Uri.UnescapeDataString(password) : options.Password;
        options.DefaultDatabase =
            database.Length > 0 ? int.Parse(database, System.Globalization.CultureInfo.InvariantCulture) : options.DefaultDatabase;
        return options;
    }

    private static (string Before, string After) Cut(string text, int at) => at < 0 ? (text, "") : (text[..at], text[(at + 1)..]);
}
