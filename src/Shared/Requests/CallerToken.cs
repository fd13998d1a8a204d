namespace Bff.Requests;

/// <summary>
/// The access token that a caller sent, or the one in the caller's session. It is sent only to services that are configured to receive it.
/// It has no text form of its own, so that no log or error can show it.
/// </summary>
internal readonly struct CallerToken : IEquatable<CallerToken>
{
    private const string Scheme = "Bearer ";
    private readonly string? _text;
    private readonly bool _isHeader;

    private CallerToken(string text, bool isHeader) => (_text, _isHeader) = (text, isHeader);

    /// <summary>Whether there is no token, as for API keys and anonymous callers.</summary>
    public bool IsNone => _text is null;

    /// <summary>The value of <c>Authorization</c> (RFC 6750 section 2.1). Built on demand, because few services want it.</summary>
    public string Authorization => string.Concat(Scheme, Value);

    /// <summary>The token itself, for a token exchange.</summary>
    public ReadOnlySpan<char> Value => _isHeader ? _text.AsSpan(Scheme.Length).Trim(' ') : _text;

    /// <summary>Takes the token from the request's own header, whose scheme has already been checked.</summary>
    public static CallerToken OfHeader(string header) => new(header, isHeader: true);

    /// <summary>Takes the token from a session.</summary>
    public static CallerToken Of(string token) => new(token, isHeader: false);

    public bool Equals(CallerToken other) => IsNone == other.IsNone && Value.SequenceEqual(other.Value);

    public override bool Equals(object? obj) => obj is CallerToken other && Equals(other);

    public override int GetHashCode() => string.GetHashCode(Value);

    public override string ToString() => nameof(CallerToken);
}
