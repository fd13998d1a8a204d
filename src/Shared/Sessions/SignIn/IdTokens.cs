using Microsoft.IdentityModel.Tokens;

namespace Bff.Sessions.SignIn;

/// <summary>
/// Makes the framework's handler verify an id_token by the host's own rules for tokens of the provider. The handler's own rules would
/// accept a token of another kind and one that is also for other clients, and would reject a token signed with a key that is not known yet.
/// </summary>
internal sealed class IdTokens(ProviderTokens tokens) : TokenHandler
{
    /// <inheritdoc />
    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters) =>
        await tokens.ValidateIdToken(token, CancellationToken.None);
}
