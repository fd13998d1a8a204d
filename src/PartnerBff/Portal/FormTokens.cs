using System.Text;
using Bff.State;

namespace PartnerBff.Portal;

/// <summary>
/// Creates and checks antiforgery tokens (OWASP, HMAC-based token). Only this host can create a token, for one session, so a foreign page
/// has none to send. Needs no cookie or file of its own: the instances share the keys.
/// </summary>
internal sealed class FormTokens(IKeyRing keys)
{
    /// <summary>Name of the form field, the default of ASP.NET Core.</summary>
    public const string Field = "__RequestVerificationToken";

    private const string Purpose = "portal-forms";
    private const int MaxLength = 512;

    /// <exception cref="StoreUnavailableException">Redis is unavailable, and this instance has never read the keys.</exception>
    public async ValueTask<string> Of(string sessionId, CancellationToken cancellation) =>
        SealedBox.SealText(await keys.Current(Purpose, cancellation), "form"u8, Encoding.UTF8.GetBytes(sessionId));

    /// <exception cref="StoreUnavailableException">As for <see cref="Of"/>.</exception>
    public async ValueTask<bool> IsOf(string sessionId, string? token, CancellationToken cancellation) =>
        token is { Length: > 0 and <= MaxLength }
        && await SealedBox.OpenText(keys, Purpose, token, Encoding.UTF8.GetBytes(sessionId), cancellation) is not null;
}
