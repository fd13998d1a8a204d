using System.Text;
using Bff.State;

namespace PartnerBff.Portal;

/// <summary>
/// Antiforgery (OWASP, HMAC-based token): what only this host can make and only for one session, so that a foreign page has nothing to
/// send. Needs no cookie and no file of its own: the instances share the keys.
/// </summary>
internal sealed class FormTokens(IKeyRing keys)
{
    /// <summary>The field's name, as elsewhere in ASP.NET Core.</summary>
    public const string Field = "__RequestVerificationToken";

    private const string Purpose = "portal-forms";
    private const int MaxLength = 512;

    /// <exception cref="StoreUnavailableException">Redis is away and this instance has never seen the keys.</exception>
    public async ValueTask<string> Of(string sessionId, CancellationToken cancellation) =>
        SealedBox.SealText(await keys.Current(Purpose, cancellation), "form"u8, Encoding.UTF8.GetBytes(sessionId));

    /// <exception cref="StoreUnavailableException">As for <see cref="Of"/>.</exception>
    public async ValueTask<bool> IsOf(string sessionId, string? token, CancellationToken cancellation) =>
        token is { Length: > 0 and <= MaxLength }
        && await SealedBox.OpenText(keys, Purpose, token, Encoding.UTF8.GetBytes(sessionId), cancellation) is not null;
}
