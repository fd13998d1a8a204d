using System.Buffers;
using System.Globalization;
using Bff.Configuration;
using Bff.Requests;

namespace PartnerBff.Versions;

/// <summary>When a version of the API began to end and when it does: section <c>Versions:&lt;v&gt;</c>.</summary>
[Settings("Versions:<v>")]
internal sealed record ApiVersion
{
    private const string Addresses = "an address, a path of this host, or a version's name";
    private const string Dates = "a date (RFC 3339)";

    /// <summary>Date from which the version is deprecated: new integrations should use the successor.</summary>
    [Setting(Range = Dates, Default = "none; required with `Sunset`")]
    public DateTimeOffset? Deprecation { get; init; }

    /// <summary>Date from which the version answers 410.</summary>
    [Setting(Range = Dates + ", at least six months after `Deprecation`", Default = "none")]
    public DateTimeOffset? Sunset { get; init; }

    /// <summary>Page that explains the migration.</summary>
    [Setting(Range = Addresses, Default = "none")]
    public string? Link { get; init; }

    /// <summary>Version that replaces this one.</summary>
    [Setting(Range = Addresses, Default = "none")]
    public string? Successor { get; init; }

    /// <summary>Value of <c>Deprecation</c> (RFC 9745).</summary>
    public string? DeprecationHeader =>
        field ??= Deprecation is { } at ? "@" + at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) : null;

    /// <summary>Value of <c>Sunset</c> (RFC 8594).</summary>
    public string? SunsetHeader => field ??= Sunset?.ToUniversalTime().ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>All versions; replaced as a whole on a reload.</summary>
internal sealed class ApiVersions(IReadOnlyDictionary<string, ApiVersion> versions)
{
    private static readonly SearchValues<char> Unsafe = SearchValues.Create("<>\" \r\n");

    private const int MonthsOfNotice = 6;
    private static readonly string[] Names = ["v1", "v2"];

    /// <summary>Returns the version in a path and its settings; null if the path has no version.</summary>
    public (string Name, ApiVersion? Version)? Of(PathString path)
    {
        foreach (var name in Names)
        {
            if (path.StartsWithSegments("/" + name, StringComparison.Ordinal))
            {
                return (name, versions.GetValueOrDefault(name));
            }
        }

        return null;
    }

    public static ApiVersions Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var versions = new Dictionary<string, ApiVersion>(StringComparer.OrdinalIgnoreCase);
        foreach (var section in configuration.GetSection("Versions").GetChildren())
        {
            if (!Names.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
            {
                mistakes.Add(section.Path, $"is not a version of this API. The versions are {string.Join(", ", Names)}.");
                continue;
            }

            var deprecation = Date(section, "Deprecation", mistakes);
            var sunset = Date(section, "Sunset", mistakes);
            if (sunset is not null && deprecation is null)
            {
                mistakes.Add(
                    section,
                    "Deprecation",
                    "is missing. Set the date from which the version is deprecated, at least six months before Sunset."
                );
            }
            else if (sunset < deprecation?.AddMonths(MonthsOfNotice))
            {
                mistakes.Add(
                    section,
                    "Sunset",
                    "is less than six months after Deprecation. Set a later date: partners are promised six months' notice."
                );
            }

            versions[section.Key] = new ApiVersion
            {
                Deprecation = deprecation,
                Sunset = sunset,
                Link = Address(section, "Link", mistakes),
                Successor = Address(section, "Successor", mistakes),
            };
        }

        return new(versions);
    }

    private static DateTimeOffset? Date(IConfigurationSection section, string key, ConfigurationMistakes mistakes)
    {
        if (section[key] is not { Length: > 0 } text)
        {
            return null;
        }

        if (Rfc3339.TryParseOrDay(text, out var date))
        {
            return date;
        }

        mistakes.Add(section, key, $"'{text}' is not a date. Write it as in RFC 3339, such as 2027-01-01T00:00:00Z.");
        return null;
    }

    private static string? Address(IConfigurationSection section, string key, ConfigurationMistakes mistakes)
    {
        if (section[key] is not { Length: > 0 } text)
        {
            return null;
        }

        if (Names.Contains(text))
        {
            return "/" + text;
        }

        if ((text[0] == '/' || Uri.TryCreate(text, UriKind.Absolute, out _)) && !text.AsSpan().ContainsAny(Unsafe))
        {
            return text;
        }

        mistakes.Add(
            section,
            key,
            $"'{text}' is not an address. Write an absolute address, a path of this host such as /docs, or a version's name."
        );
        return null;
    }
}
