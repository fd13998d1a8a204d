using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>
/// Signs with the newest key of an algorithm and publishes every key that has not been withdrawn. A withdrawn key is kept, so that a test
/// can show that its tokens are refused.
/// </summary>
internal sealed class KeyRing : IDisposable
{
    private readonly Lock gate = new();
    private readonly List<SigningKey> keys = [SigningKey.Create(SigningKey.Rs256), SigningKey.Create(SigningKey.Es256)];

    public SigningKey Current(string algorithm)
    {
        lock (gate)
        {
            var newest = keys.FindLast(key => key.Algorithm == algorithm && !key.Withdrawn);
            if (newest is null)
                keys.Add(newest = SigningKey.Create(algorithm));
            return newest;
        }
    }

    public SigningKey? Find(string kid)
    {
        lock (gate)
            return keys.Find(key => key.Kid == kid);
    }

    public IReadOnlyList<SigningKey> Published()
    {
        lock (gate)
            return keys.FindAll(key => !key.Withdrawn);
    }

    public IReadOnlyList<string> Rotate()
    {
        var fresh = new[] { SigningKey.Create(SigningKey.Rs256), SigningKey.Create(SigningKey.Es256) };
        lock (gate)
            keys.AddRange(fresh);
        return [.. fresh.Select(key => key.Kid)];
    }

    public bool Withdraw(string kid)
    {
        lock (gate)
        {
            if (keys.Find(key => key.Kid == kid && !key.Withdrawn) is not { } known)
                return false;
            known.Withdrawn = true;
            return true;
        }
    }

    public JsonObject Jwks() => new() { ["keys"] = new JsonArray([.. Published().Select(key => key.PublicJwk())]) };

    public void Dispose()
    {
        lock (gate)
            keys.ForEach(key => key.Dispose());
    }
}
