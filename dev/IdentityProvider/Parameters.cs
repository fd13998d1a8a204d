namespace Bff.Dev.IdentityProvider;

/// <summary>The parameters of an OAuth request: each at most once (RFC 6749, section 3.1); an empty one counts as absent.</summary>
internal sealed class Parameters
{
    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    public bool Repeated { get; private init; }

    public string? this[string name] => values.GetValueOrDefault(name);

    public static Parameters FromQuery(HttpContext context) => From(context.Request.Query);

    public static async Task<Parameters?> FromForm(HttpContext context)
    {
        if (!context.Request.HasFormContentType)
            return null;
        try
        {
            return From(await context.Request.ReadFormAsync(context.RequestAborted));
        }
        catch (Exception exception) when (exception is InvalidDataException or BadHttpRequestException)
        {
            return null;
        }
    }

    public QueryString ToQueryString() => QueryString.Create(values.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)));

    private static Parameters From(IEnumerable<KeyValuePair<string, Microsoft.Extensions.Primitives.StringValues>> pairs)
    {
        var all = pairs.ToArray();
        var parameters = new Parameters { Repeated = all.Any(pair => pair.Value.Count > 1) };
        foreach (var (name, value) in all)
            if (value is [{ Length: > 0 } only])
                parameters.values[name] = only;
        return parameters;
    }
}
