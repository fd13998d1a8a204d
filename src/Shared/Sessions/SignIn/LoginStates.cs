using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Bff.Sessions.Stores;
using Bff.State;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions.SignIn;

/// <summary>A sign-in that has begun: the handler's properties, and the key that seals them.</summary>
internal readonly record struct BegunLogin(AuthenticationProperties Properties, RingKey Key, int Slot);

/// <summary>
/// Keeps sign-ins that are under way sealed in the browser, so that nothing is stored for a browser that never returns. Several can run at
/// once (tabs), each in its own cookie, which the state names. When the browser returns, the state is spent on the server, so that a code
/// is sent once. The framework's handler uses this as its state format: the state is a random name for the content of the cookie.
/// </summary>
internal sealed class LoginStates(IKeyRing keys, SessionCookie cookie, ISessionStore store, TimeProvider time)
    : ISecureDataFormat<AuthenticationProperties>
{
    private const string Purpose = "sign-in",
        State = "state";
    private const int Slots = 4;
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    /// <summary>Begins a sign-in.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away and this instance has never seen the keys.</exception>
    public async Task<BegunLogin> Begin(HttpContext context, string returnUrl)
    {
        var slot = Enumerable
            .Range(0, Slots)
            .FirstOrDefault(s => cookie.Read(context, Suffix(s)) is null, RandomNumberGenerator.GetInt32(Slots));
        var properties = new AuthenticationProperties { RedirectUri = returnUrl, ExpiresUtc = time.GetUtcNow() + Life };
        properties.SetString(State, slot + "." + SessionKey.NewCookie());
        return new(properties, await keys.Current(Purpose, context.RequestAborted), slot);
    }

    /// <summary>Writes the sign-in to the browser, after the handler has added what it needs on the way back.</summary>
    public void Keep(HttpContext context, BegunLogin login)
    {
        var plain = PropertiesSerializer.Default.Serialize(login.Properties);
        cookie.Write(
            context,
            SealedBox.SealText(login.Key, plain, Encoding.ASCII.GetBytes(Protect(login.Properties))),
            Suffix(login.Slot),
            Life
        );
    }

    /// <summary>
    /// Spends a state. Null if this browser did not begin the sign-in, the state has been spent, or the sign-in took too long.
    /// </summary>
    public async Task<AuthenticationProperties?> Spend(HttpContext context, string? state)
    {
        if (
            !IsState(state)
            || state[0] - '0' is not (>= 0 and < Slots and var slot)
            || cookie.Read(context, Suffix(slot)) is not { Length: < 4096 } box
        )
        {
            return null;
        }

        var plain = await SealedBox.OpenText(keys, Purpose, box, Encoding.ASCII.GetBytes(state), context.RequestAborted);
        var login = plain is null ? null : PropertiesSerializer.Default.Deserialize(plain);
        if (login is null || Protect(login) != state)
        {
            return null;
        }

        cookie.Delete(context, Suffix(slot));
        return login.ExpiresUtc > time.GetUtcNow() && await store.Spend(Spent(state), Life + Life) ? login : null;
    }

    /// <summary>Whether the state has been spent, by whichever browser.</summary>
    public async Task<bool> IsSpent(string? state) => IsState(state) && await store.IsSpent(Spent(state));

    /// <inheritdoc />
    public string Protect(AuthenticationProperties data) => data.GetString(State)!;

    /// <inheritdoc />
    public string Protect(AuthenticationProperties data, string? purpose) => Protect(data);

    /// <inheritdoc />
    public AuthenticationProperties? Unprotect(string? protectedText) => null; // This needs the browser's cookie: see Spend.

    /// <inheritdoc />
    public AuthenticationProperties? Unprotect(string? protectedText, string? purpose) => null;

    private static bool IsState([NotNullWhen(true)] string? state) =>
        state is { Length: 2 + SessionKey.CookieLength } && Ascii.IsValid(state);

    private static string Spent(string state) => "login:" + SessionKey.Hash(state);

    private static string Suffix(int slot) => $"-login{slot}";
}
