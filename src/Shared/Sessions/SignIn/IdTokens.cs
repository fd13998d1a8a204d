using Microsoft.IdentityModel.Tokens;

namespace Bff.Sessions.SignIn;

/// <summary>
/// How the framework's handler verifies an id_token: as all that the provider signs is verified here. By itself it takes one without a signature from the token
/// endpoint, and gives up on a key that it has not seen yet.
/// </summary>
internal sealed class IdTokens(ProviderTokens tokens) : TokenHandler
{
    /// <inheritdoc />
    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters) =>
        await tokens.ValidateIdToken(token, CancellationToken.None);
}
