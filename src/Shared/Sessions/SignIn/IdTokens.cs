using Microsoft.IdentityModel.Tokens;

namespace Bff.Sessions.SignIn;

/// <summary>
/// How the framework's handler verifies an id_token: as all that the provider signs is verified here. By itself it takes a token of another
/// kind and one that is for others too, and gives up on a key that it has not seen yet.
/// </summary>
internal sealed class IdTokens(ProviderTokens tokens) : TokenHandler
{
    /// <inheritdoc />
    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters) =>
        await tokens.ValidateIdToken(token, CancellationToken.None);
}
